import type { MakePart } from '../../devices/device.ts';
import { OK, refusal, statusJson } from '../answer.ts';

/** A network speaker: audio files and playing them (isapi §14; the files' paths no capture shows). */
export const speaker: MakePart = (device) => {
  const { documents, profile: p } = device;
  const files = [
    { id: 1, name: 'Siren', seconds: 12 },
    { id: 2, name: 'Please leave', seconds: 4 },
  ];
  let playing: number | null = null;
  // As cameras with a loudspeaker have it; no speaker was captured.
  let alarm = { audioID: 1, audioVolume: 50, alarmTimes: 1 };
  documents.add(
    '/System/Audio/channels/1',
    `<AudioChannel version="2.0" xmlns="${p.odd.namespace}"><id>1</id><enabled>true</enabled><audioMode>talkandlisten</audioMode><speakerVolume>50</speakerVolume></AudioChannel>`,
    { fixed: ['id'], values: { speakerVolume: [0, 100] } },
  );
  documents.add(
    '/System/Audio/AudioOut/channels/1',
    `<AudioOut version="2.0" xmlns="${p.odd.namespace}"><id>1</id><AudioOutVolumelist><AudioOutVlome><type>audioOutput</type><volume>50</volume></AudioOutVlome></AudioOutVolumelist></AudioOut>`,
    { fixed: ['id'], missing: 'keep' },
  );
  return {
    state: () => ({ playing }),
    answer: ({ method, path, body, url }) => {
      const json = (value: unknown) => ({ status: 200, type: 'application/json', body: JSON.stringify(value) });
      if (path === '/Event/triggers/notifications/AudioAlarm/customAudioInfo' || path === '/System/Audio/files')
        return json({
          CustomAudioInfoList: files.map((f) => ({
            customAudioID: f.id,
            customAudioName: f.name,
            customAudioDuration: f.seconds,
          })),
        });
      const sound = /^\/Event\/triggers\/notifications\/AudioAlarm(?:\/(capabilities|\d+\/test))?$/.exec(path);
      if (sound && sound[1] === undefined && method === 'GET') return json({ AudioAlarm: alarm });
      if (sound && sound[1] === undefined && method === 'PUT') {
        alarm = { ...alarm, ...(JSON.parse(body.toString()) as { AudioAlarm?: Partial<typeof alarm> }).AudioAlarm };
        return { status: 200, type: 'application/json', body: statusJson(url, OK) };
      }
      if (sound?.[1] === 'capabilities')
        return json({
          AudioAlarmCap: {
            audioTypeListCap: files.map((f) => ({ audioID: f.id, audioDescription: f.name })),
            audioVolume: { '@min': 1, '@max': 100 },
            alarmTimes: { '@min': 1, '@max': 50 },
          },
        });
      if (sound?.[1] && method === 'PUT') {
        const number = Number.parseInt(sound[1], 10);
        const known = files.some((f) => f.id === number);
        if (known) playing = number;
        const said = known ? OK : refusal('invalidID');
        return { status: said.http, type: 'application/json', body: statusJson(url, said) };
      }
      const [, id, verb] = /^\/System\/Audio\/files\/(\d+)\/(play|stop)$/.exec(path) ?? [];
      if (id) {
        const known = method === 'PUT' && files.some((f) => f.id === Number(id));
        if (known) playing = verb === 'play' ? Number(id) : null;
        const said = known ? OK : refusal('invalidID');
        return { status: said.http, type: 'application/json', body: statusJson(url, said) };
      }
      return null;
    },
  };
};

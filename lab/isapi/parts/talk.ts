import type { Socket } from 'node:net';
import type { MakePart } from '../../devices/device.ts';
import { isRecorder } from '../../devices/profile.ts';
import { Heard } from '../../talk/heard.ts';
import { OK, refusal, statusXml } from '../answer.ts';
import { XML_HEAD } from '../xml.ts';

/** How two-way audio of a device behaves; tests switch these. */
interface TalkOdd {
  codec: string;
  /** In kHz; null: it does not say. */
  rate: number | null;
  /** A session that somebody left open: `open` is refused until it is closed. */
  stale: boolean;
  /** Somebody is speaking by another way: closing does not help. */
  busy: boolean;
  /** `audioData` is answered at once, never, or refused. */
  answers: 'at-once' | 'never' | 'refused';
  /** Hangs up after so many bytes. */
  hangUpAfter: number | null;
  /** `open` is not answered. */
  mute: boolean;
}

/** What firmware of these kinds says; a code that nobody makes at the thermal camera. */
const CODECS: Partial<Record<string, [codec: string, rate: number | null]>> = {
  ptz: ['G.711alaw', 8],
  thermal: ['G.722.1', 16],
  solar: ['PCM', 16],
  doorbell: ['AAC', 16],
};
/** A recorder's own, and that of its first camera. */
const OF_RECORDER = [
  { id: 1, input: null },
  { id: 1001, input: 1 },
];

/**
 * Two-way audio (isapi §14): a session that is open refuses the next one until it is closed; `audioData` says a length of 0 and
 * goes on with sound, of AAC behind its length. What is heard is kept for `GET /devices/{name}` and `do/heard`.
 */
export const talk: MakePart = (device) => {
  const { profile: p } = device;
  const [codec, rate] = CODECS[p.kind] ?? ['G.711ulaw', null];
  const odd: TalkOdd = { codec, rate, stale: false, busy: false, answers: 'at-once', hangUpAfter: null, mute: false };
  const channels = isRecorder(p.kind) && p.kind !== 'dvr' ? OF_RECORDER : [{ id: 1, input: null }];
  const old = p.odd.errorsWith200;
  const heard = new Heard(codec);
  const ns = `version="2.0" xmlns="${p.odd.namespace}"`;
  /** Who speaks, by channel: a session's id, and its connection. */
  const sessions = new Map<number, { session: string; socket: Socket | null }>();
  let sessionsTotal = 0;
  const document = ({ id, input }: (typeof channels)[number]) => {
    const of =
      input === null
        ? ''
        : `<associateVideoInputs><enabled>true</enabled><videoInputChannelList><videoInputChannelID>${input}</videoInputChannelID></videoInputChannelList></associateVideoInputs>`;
    const hz = odd.rate === null ? '' : `<audioSamplingRate>${odd.rate}</audioSamplingRate>`;
    return `<TwoWayAudioChannel ${ns}><id>${id}</id><enabled>${sessions.has(id)}</enabled><audioCompressionType>${odd.codec}</audioCompressionType><speakerVolume>60</speakerVolume><noisereduce>true</noisereduce><audioInputType>MicIn</audioInputType>${hz}${of}</TwoWayAudioChannel>`;
  };
  const end = (id: number) => {
    sessions.get(id)?.socket?.destroy();
    sessions.delete(id);
  };
  return {
    state: () => ({
      talk: {
        open: [...sessions.keys()],
        speaking: [...sessions.values()].filter(({ socket }) => socket !== null && !socket.destroyed).length,
        sessionsTotal,
        heardBytes: heard.bytes,
      },
    }),
    stop: () => {
      for (const id of [...sessions.keys()]) end(id);
    },
    down: () => {
      for (const id of [...sessions.keys()]) end(id);
    },
    control: {
      /** {codec, rate, stale, busy, answers, hangUpAfter, mute} */
      talk: (body) => {
        Object.assign(odd, body);
        heard.codec = odd.codec;
        if (odd.stale) sessions.set(channels[0]!.id, { session: 'left-open', socket: null });
        odd.stale = false;
        return odd;
      },
      /** What it heard since `forget`. */
      heard: (body) => {
        const told = heard.told();
        if (body.forget) heard.forget();
        return told;
      },
    },
    /** Sound that follows a header with a length of 0: it is no further request. */
    raw: (asked, socket) => {
      const id = Number(/^\/System\/TwoWayAudio\/channels\/(\d+)\/audioData$/.exec(asked.path)?.[1]);
      const open = sessions.get(id);
      const wrong = open && open.session !== '' && asked.query.get('sessionId') !== open.session;
      if (old || asked.method !== 'PUT' || !open || wrong || odd.answers === 'refused') return null;
      open.socket = socket;
      socket.once('close', () => {
        if (sessions.get(id)?.socket === socket) open.socket = null;
      });
      if (odd.answers === 'at-once')
        socket.write(
          'HTTP/1.1 200 OK\r\nContent-Type: application/xml\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n',
        );
      return (data) => {
        if (sessions.get(id)?.socket !== socket) return;
        heard.push(data);
        if (odd.hangUpAfter !== null && heard.bytes >= odd.hangUpAfter) socket.destroy();
      };
    },
    answer: async ({ method, path, url, body }) => {
      // Old cameras have no loudspeaker.
      if (old) return null;
      if (path === '/System/TwoWayAudio/channels' && method === 'GET')
        return {
          status: 200,
          body: `${XML_HEAD}<TwoWayAudioChannelList ${ns}>\n${channels.map(document).join('\n')}\n</TwoWayAudioChannelList>\n`,
        };
      const [, number, verb] = /^\/System\/TwoWayAudio\/channels\/(\d+)(?:\/(open|close|audioData))?$/.exec(path) ?? [];
      const found = channels.find(({ id }) => id === Number(number));
      if (!number || (method === 'GET' && verb)) return null;
      const said = (sub: string | null) => {
        const what = sub ? refusal(sub) : OK;
        return { status: what.http, body: statusXml(url, what, '', p.odd.errorCodes) };
      };
      if (!found) return said('invalidID');
      if (!verb) return { status: 200, body: `${XML_HEAD}${document(found)}\n` };
      if (verb === 'close') {
        end(found.id);
        return said(null);
      }
      if (verb === 'audioData') {
        // All of it at once, with a length: some clients send a file so.
        if (!sessions.has(found.id)) return said('invalidOperation');
        if (odd.answers === 'refused') return said('notSupport');
        heard.push(body);
        return said(null);
      }
      if (odd.mute) return new Promise(() => {});
      if (odd.busy || sessions.has(found.id)) return said('twoWayAudioInProgressPleaseWait');
      const session = p.kind === 'door-station' ? `2ozk849ahx0xzbmvnj${sessionsTotal}` : '';
      sessions.set(found.id, { session, socket: null });
      sessionsTotal++;
      return {
        status: 200,
        body: `${XML_HEAD}<TwoWayAudioSession ${ns}><sessionId>${session || 1}</sessionId></TwoWayAudioSession>\n`,
      };
    },
  };
};

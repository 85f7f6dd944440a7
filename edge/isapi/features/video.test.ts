import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connected, Documents } from '../testing/documents.ts';
import { ScriptedDevice } from '../testing/scripted-device.ts';
import { switchSmartCodec } from './smart-codec.ts';
import { video } from './video.ts';

const PATH = '/Streaming/channels/101';
/** As a current camera writes it, in two namespaces, with what nobody asked about. */
const stream = (o: { codec?: string; smart?: boolean; gov?: number; type?: string } = {}) =>
  `<?xml version="1.0" encoding="UTF-8"?>\r\n<StreamingChannel version="2.0" xmlns="http://www.hikvision.com/ver20/XMLSchema">\r\n<id>101</id><channelName>Door</channelName><enabled>true</enabled>
<Transport><Unicast><enabled>true</enabled></Unicast></Transport>
<Video xmlns="urn:psialliance-org"><enabled>true</enabled><videoInputChannelID>1</videoInputChannelID><videoCodecType>${o.codec ?? 'H.264'}</videoCodecType><videoResolutionWidth>2560</videoResolutionWidth><videoResolutionHeight>1440</videoResolutionHeight><videoQualityControlType>${o.type ?? 'VBR'}</videoQualityControlType><constantBitRate>4096</constantBitRate><fixedQuality>60</fixedQuality><vbrUpperCap>6144</vbrUpperCap><vbrLowerCap>32</vbrLowerCap><maxFrameRate>1250</maxFrameRate><keyFrameInterval>4000</keyFrameInterval><GovLength>${o.gov ?? 50}</GovLength><PacketType>PS</PacketType><PacketType>RTP</PacketType><SmartCodec><enabled>${o.smart ?? false}</enabled></SmartCodec></Video>
<Audio><enabled>false</enabled></Audio></StreamingChannel>`;
const CAPS = `<StreamingChannel xmlns="http://www.isapi.org/ver20/XMLSchema"><Video><videoCodecType opt="H.264,H.265"/><videoResolutionWidth opt="2560,1920"/><videoResolutionHeight opt="1440,1080"/><videoQualityControlType opt="CBR,VBR"/><constantBitRate min="32" max="8192"/><vbrUpperCap min="32" max="16384"/><fixedQuality min="1" max="100"/><maxFrameRate opt="2500,1250,625,0"/><GovLength min="1" max="400"/><SmartCodec><enabled opt="true,false"/></SmartCodec></Video></StreamingChannel>`;

let scripted: ScriptedDevice;
let documents: Documents;
let port: number;
let close = () => {};

beforeEach(async () => {
  scripted = new ScriptedDevice();
  port = await scripted.start();
  documents = new Documents(scripted);
  documents.set(PATH, stream());
  documents.set(`${PATH}/capabilities`, CAPS);
});
afterEach(async () => {
  close();
  await scripted.stop();
});
const at = async () => {
  const all = await connected(scripted, port, [video]);
  close = all.close;
  return all;
};
const here = { channel: 1, stream: 1 };
const leafOf = (xml: string, name: string) => new RegExp(`<${name}>([^<]*)<`).exec(xml)?.[1];

describe('a stream', () => {
  it('is told in units that say what they are, with what it may be (CHAN-08)', async () => {
    const { features } = await at();
    expect((await features.capabilities()).sections).toEqual([{ section: 'video', channels: [1], streams: [1, 2] }]);
    const read = await features.read('video', here);
    const field = (name: string) => (read.ok ? read.value.find((f) => f.name === name) : undefined);
    expect(field('codec')).toMatchObject({ value: 'H.264', options: ['H.264', 'H.265'] });
    expect(field('resolution')).toMatchObject({ value: '2560x1440', options: ['2560x1440', '1920x1080'] });
    expect(field('frameRate')).toMatchObject({ value: '12.5', options: ['25', '12.5', '6.25', 'full'] });
    expect(field('bitrate')).toMatchObject({ value: 6144, max: 16384, unit: 'kbit/s' });
    expect(field('govLength')).toMatchObject({ value: 50, unit: 'frames' });
    expect(field('keyFrameInterval')).toBeUndefined();
    expect(field('smartCodec')).toMatchObject({ value: false });
  });

  it('is there again after the device was silent for a moment', async () => {
    const { features } = await at();
    const answer = scripted.routes.get(`/ISAPI${PATH}`)!;
    scripted.routes.set(`/ISAPI${PATH}`, (_, res) => void res.destroy());
    expect(await features.read('video', here)).toMatchObject({ ok: false, code: 'device-unreachable' });
    scripted.routes.set(`/ISAPI${PATH}`, answer);
    expect(await features.read('video', here)).toMatchObject({ ok: true });
  });

  it('is written as a whole, with what belongs together changed together (CHAN-08)', async () => {
    const { features } = await at();
    const set = { frameRate: '25', govLength: 50, bitrateType: 'CBR', bitrate: 2048, resolution: '1920x1080' };
    expect(await features.write('video', here, set)).toMatchObject({ ok: true, value: { notKept: [] } });
    expect(documents.written).toHaveLength(1);
    const body = documents.written[0]!.body;
    expect(leafOf(body, 'maxFrameRate')).toBe('2500');
    expect(leafOf(body, 'keyFrameInterval')).toBe('2000');
    expect(leafOf(body, 'constantBitRate')).toBe('2048');
    expect(leafOf(body, 'vbrUpperCap')).toBe('6144');
    expect(body).toContain('<Video xmlns="urn:psialliance-org">');
    expect(body).toContain('<PacketType>PS</PacketType><PacketType>RTP</PacketType>');
  });

  it('has its smart codec off before anything else, on after everything else', async () => {
    documents.set(PATH, stream({ smart: true }), (body) =>
      documents.get(PATH).includes('<SmartCodec><enabled>true') && leafOf(body, 'GovLength') !== '50'
        ? { refuse: 'badXmlContent' }
        : body,
    );
    const { features } = await at();
    expect(await features.write('video', here, { govLength: 25, smartCodec: false })).toMatchObject({
      value: { notKept: [] },
    });
    expect(documents.written.map((w) => leafOf(w.body, 'GovLength'))).toEqual(['50', '25']);
    await features.write('video', here, { codec: 'H.265', smartCodec: true });
    expect(documents.written.slice(2).map((w) => /<SmartCodec><enabled>(\w+)/.exec(w.body)![1])).toEqual([
      'false',
      'true',
    ]);
  });

  it('says which part was changed when the other was refused', async () => {
    documents.set(PATH, stream({ smart: true }), (body) =>
      leafOf(body, 'GovLength') === '50' ? body : { refuse: 'badXmlContent' },
    );
    const { features } = await at();
    const written = await features.write('video', here, { govLength: 25, smartCodec: false });
    expect(written).toMatchObject({ ok: false, subStatus: 'badXmlContent' });
    expect(written.ok ? '' : written.text).toContain('smartCodec was changed, the rest not');
  });

  it('that wants a restart, or keeps nothing, says so', async () => {
    documents.set(PATH, stream(), (body) => ({ reboot: body }));
    const { features } = await at();
    expect(await features.write('video', here, { govLength: 25 })).toMatchObject({
      value: { rebootRequired: true, notKept: [] },
    });
    documents.set(PATH, stream(), () => null);
    expect(await features.write('video', here, { govLength: 25 })).toMatchObject({
      value: { notKept: [{ name: 'govLength', wanted: 25, is: 50 }] },
    });
  });

  it('of an IP channel stands elsewhere on a recorder', async () => {
    scripted.script.deviceType = 'NVR';
    scripted.routes.delete(`/ISAPI${PATH}`);
    scripted.routes.delete('/ISAPI/Streaming/channels');
    const proxied = `/ContentMgmt/StreamingProxy/channels/101`;
    documents.set(proxied, stream({ type: 'CBR' }));
    documents.set(
      '/ContentMgmt/StreamingProxy/channels',
      `<StreamingChannelList size="0">${stream().replace(/^<\?xml.*\?>\s*/, '')}</StreamingChannelList>`,
    );
    const { features } = await at();
    expect(await features.write('video', here, { bitrate: 1024 })).toMatchObject({ value: { notKept: [] } });
    expect(documents.written.map((w) => w.path)).toEqual([proxied]);
    expect(leafOf(documents.get(proxied), 'constantBitRate')).toBe('1024');
  });
});

describe('at an initialisation, the smart codec', () => {
  it('becomes H.265+ where H.264+ was on, and stays as it is elsewhere (INIT-17)', async () => {
    const { device } = await at();
    expect(await switchSmartCodec(device, 1, 'h265plus-where-h264plus')).toEqual({
      ok: true,
      value: { done: [], failed: [], rebootRequired: false },
    });
    expect(documents.written).toEqual([]);
    documents.set(PATH, stream({ smart: true }), (body) =>
      // Refuses another codec as long as a smart one is on.
      documents.get(PATH).includes('<SmartCodec><enabled>true') && leafOf(body, 'videoCodecType') !== 'H.264'
        ? { refuse: 'badXmlContent' }
        : { reboot: body },
    );
    expect(await switchSmartCodec(device, 1, 'h265plus-where-h264plus')).toEqual({
      ok: true,
      value: { done: ['codec: H.265', 'smartCodec: true'], failed: [], rebootRequired: true },
    });
    expect(documents.get(PATH)).toContain('<SmartCodec><enabled>true');
  });

  it('comes back where the new codec is refused', async () => {
    documents.set(PATH, stream({ smart: true }), (body) =>
      leafOf(body, 'videoCodecType') === 'H.265' ? { refuse: 'badXmlContent' } : body,
    );
    const { device } = await at();
    const result = await switchSmartCodec(device, 1, 'h265plus-where-h264plus');
    expect(result).toMatchObject({ ok: true, value: { done: ['smartCodec: true'] } });
    expect(result.ok && result.value.failed).toHaveLength(2);
    expect(documents.get(PATH)).toContain('<SmartCodec><enabled>true');
    expect(leafOf(documents.get(PATH), 'videoCodecType')).toBe('H.264');
  });

  it('goes off on channels that will record, with short groups and a codec that browsers play (INIT-17)', async () => {
    documents.set(PATH, stream({ smart: true, codec: 'H.265', gov: 250 }));
    const { device } = await at();
    expect(await switchSmartCodec(device, 1, 'off-for-recording')).toEqual({
      ok: true,
      value: { done: ['smartCodec: false', 'codec: H.264', 'govLength: 25'], failed: [], rebootRequired: false },
    });
    documents.set(PATH, stream({ smart: true, gov: 250 }), (body) => body.replace('<GovLength>25<', '<GovLength>250<'));
    expect(await switchSmartCodec(device, 1, 'off-for-recording')).toMatchObject({
      value: { failed: ['govLength: 250 (wanted: 25)'] },
    });
  });
});

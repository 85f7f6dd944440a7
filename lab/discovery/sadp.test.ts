import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startLab, type TestLab } from '../testing/start-lab.ts';

const GROUP = '239.255.255.250';
let lab: TestLab;
let socket: Socket;
let heard: { text: string; from: RemoteInfo }[];

beforeAll(async () => {
  lab = await startLab();
});
afterAll(() => lab.stop());
beforeEach(async () => {
  heard = [];
  socket = createSocket({ type: 'udp4', reuseAddr: true });
  socket.on('message', (bytes, from) => heard.push({ text: bytes.toString(), from }));
  socket.bind({ address: '0.0.0.0', port: lab.ready.sadpPort });
  await once(socket, 'listening');
  socket.addMembership(GROUP, '127.0.0.1');
  socket.setMulticastInterface('127.0.0.1');
});
afterEach(() => socket.close());

const inquiry = (extra = '', types = 'inquiry') =>
  `<?xml version="1.0" encoding="utf-8"?><Probe><Uuid>9C0A-TEST</Uuid>${extra}<Types>${types}</Types></Probe>`;

async function ask(datagram: string | Buffer, to = GROUP) {
  socket.send(datagram, lab.ready.sadpPort, to);
  // Silence is the answer too: on loopback nothing takes longer than this.
  await new Promise((resolve) => setTimeout(resolve, 200));
  return heard.filter(({ text }) => text.includes('<ProbeMatch>'));
}

describe('SADP of the cameras', () => {
  it('answers an inquiry to the group: one by multicast, one by unicast and twice', async () => {
    const answers = await ask(inquiry());
    const by = (n: number) => answers.filter(({ from }) => from.address === lab.camera(n).address);
    expect([by(1).length, by(2).length]).toEqual([1, 2]);
    expect(by(1)[0]!.text).toContain('<Uuid>9C0A-TEST</Uuid>');
    expect(by(1)[0]!.text).toContain(`<HttpPort>${lab.camera(1).httpPort}</HttpPort>`);
    expect(by(1)[0]!.text).toContain(`<MAC>${lab.camera(1).mac}</MAC>`);
    expect(by(2)[0]!.text).toContain(`<MAC>${lab.camera(2).mac.toUpperCase()}</MAC>`);
    expect(by(2)[0]!.text).toContain('<DeviceLock>flase</DeviceLock>');
    expect(by(2)[0]!.text).toContain('<SoftwareVersion>V5.4.41build 170710</SoftwareVersion>');
  });

  it('answers a unicast inquiry, and one of the newer kind', async () => {
    const answers = await ask(inquiry('', 'inquiry_v32'), lab.camera(2).address);
    expect(answers.map(({ from }) => from.address)).toEqual([lab.camera(2).address, lab.camera(2).address]);
    expect(answers[0]!.text).toContain('<Types>inquiry_v32</Types>');
  });

  it('leaves an inquiry for one MAC to that device', async () => {
    const answers = await ask(inquiry(`<MAC>${lab.camera(1).mac}</MAC>`));
    expect(answers.map(({ from }) => from.address)).toEqual([lab.camera(1).address]);
  });

  it.each([
    '',
    'nonsense',
    '<Probe><Types>inquiry</Probe>',
    '<Probe/>',
    '<ProbeMatch2/>',
    Buffer.from([0, 255, 1]),
    inquiry('', 'update'),
  ])('says nothing to %j', async (datagram) => {
    expect(await ask(datagram)).toEqual([]);
  });
});

import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { ManualClock } from '../../protocol/clock.ts';
import { Viewer } from '../restream/viewer.ts';
import type { Consumer } from '../video/channel-source.ts';
import { ParameterSets, withLength } from '../video/codec.ts';
import type { AccessUnit } from '../video/receiver.ts';
import { Ring } from '../video/ring.ts';
import { Authorizer, chooseChallenge } from '../video/rtsp-auth.ts';
import { type RtspMessage, RtspReader } from '../video/rtsp-message.ts';
import { H264_SETS, slice } from '../video/testing/packets.ts';
import { must, type Target } from './fuzz.ts';
import { mutate, pieces, stretch } from './mutate.ts';

const PATH = '/01900000-0000-7000-8000-000000000001/1/main';
const URL_ = `rtsp://10.7.0.2:8554${PATH}`;
const LOGIN = { username: 'gatepost', password: 'a password' };

const codec = new ParameterSets('h264', Object.values(H264_SETS)).codec()!;
const data = Buffer.concat([codec.prefix, ...withLength(slice(true, 3_000))]);
const at = { time: 90_000, compositionOffset: 0, epoch: 0, wallMs: 0, monoMs: 0 };
const picture: AccessUnit = { ...at, data, keyFrame: true, codec };
const ring = new Ring(1_000_000);
ring.push(picture);

/** What a viewer's connection is to the server: what is written to it is read again. */
class Line extends EventEmitter {
  readonly localAddress = '10.7.0.2';
  readonly remoteAddress = '10.7.0.9';
  readonly writableLength = 0;
  readonly answers: RtspMessage[] = [];
  readonly reader: RtspReader = new RtspReader({ frame: () => this.frames++, message: (m) => this.answers.push(m) });
  frames = 0;
  constructor() {
    super();
    for (let channel = 0; channel < 256; channel++) this.reader.channels.add(channel);
  }
  write(written: string | Buffer): void {
    this.reader.push(Buffer.from(written as string));
  }
  setNoDelay(): void {}
  end(): void {}
  destroy(): void {}
}

const request = (method: string, uri: string, cseq: number, more: string) =>
  Buffer.from(`${method} ${uri} RTSP/1.0\r\nCSeq: ${cseq}\r\n${more}\r\n`);

export const RESTREAM: Target[] = [
  {
    name: 're-stream',
    share: 8,
    async run(dice, input) {
      const consumers = new Set<Consumer>();
      const acquire = (consumer: Consumer) => {
        consumers.add(consumer);
        return () => consumers.delete(consumer);
      };
      const source = { ring, acquire, codec, sound: null };
      const line = new Line();
      const viewer = new Viewer({
        socket: line as unknown as Socket,
        clock: new ManualClock(),
        login: LOGIN,
        admit: () => true,
        find: (path) => (path === PATH ? { name: 'Camera', source } : null),
      });
      viewer.start();
      line.emit('data', request('DESCRIBE', URL_, 1, ''));
      await settled();
      const challenge = chooseChallenge(line.answers[0]!.headers.get('www-authenticate')!)!;
      // One in four does not know the password.
      const knows = dice.below(4) > 0;
      const proof = new Authorizer(challenge, LOGIN.username, knows ? LOGIN.password : 'another');
      const way = 'Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n';
      const steps = [
        ...[['DESCRIBE', URL_, ''] as const, ['SETUP', `${URL_}/trackID=0`, way] as const],
        ...[['PLAY', URL_, 'Range: npt=0.000-\r\n'] as const, ['GET_PARAMETER', URL_, ''] as const],
        ...[['OPTIONS', '*', ''] as const, ['TEARDOWN', URL_, 'Session: 1\r\n'] as const],
      ].map(([method, uri, more], i) =>
        request(method, uri, 2 + i, `Authorization: ${proof.header(method, uri)}\r\n${more}`),
      );
      const broken = steps.map((step) => (dice.below(3) ? step : stretch(mutate(step, dice, steps), dice)));
      input(Buffer.concat(broken));
      for (const step of broken) {
        for (const chunk of pieces(step, dice)) line.emit('data', chunk);
        await settled();
        for (const consumer of consumers) consumer.accessUnit(picture);
      }
      must(line.reader.skippedBytes === 0, 'an answer that is none');
      const given = line.frames + line.answers.filter((m) => m.body.length > 0 || m.headers.has('session')).length;
      must(knows || (given === 0 && consumers.size === 0), 'a picture for who has no password');
      viewer.close();
      must(consumers.size === 0, 'a stream that is held for nobody');
    },
  },
];

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

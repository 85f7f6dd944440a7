import { createServer, type Socket } from 'node:net';
import { header, type RtspMessage, RtspReader } from '../rtsp-message.ts';
import { H264_SETS, Packetizer, slice } from './packets.ts';

/** What a scripted camera does with a request: lines of an answer, or null to say nothing. */
export type Answer = { status?: string; headers?: Record<string, string>; body?: string } | null;

export interface Request {
  method: string;
  uri: string;
  authorization: string | null;
  session: string | null;
}

export interface ScriptedCamera {
  url: string;
  /** Every request, in order. */
  requests: Request[];
  /** Connections accepted so far, with the time of each. */
  connections: number[];
  stop(): Promise<void>;
}

const SDP = [
  'v=0',
  's=test',
  'm=video 0 RTP/AVP 96',
  'a=rtpmap:96 H264/90000',
  `a=fmtp:96 sprop-parameter-sets=${H264_SETS.sps.toString('base64')},${H264_SETS.pps.toString('base64')}`,
  'a=control:trackID=1',
].join('\r\n');

const interleave = (rtp: Buffer, channel = 0): Buffer =>
  Buffer.concat([Buffer.from([0x24, channel, rtp.length >> 8, rtp.length & 255]), rtp]);

/** The usual answers of a camera without a password. */
export function usual(request: Request): Answer {
  const headers: Record<string, string> = {};
  if (request.method === 'OPTIONS') headers.Public = 'OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN';
  if (request.method === 'SETUP') {
    headers.Session = '42;timeout=60';
    headers.Transport = 'RTP/AVP/TCP;unicast;interleaved=0-1';
  }
  return { headers, body: request.method === 'DESCRIBE' ? SDP : undefined };
}

/** Key frame every 5 pictures, 25 a second; stops when the socket does. */
export function streamVideo(socket: Socket, shape: (packets: Buffer[], picture: number) => Buffer[] = (p) => p): void {
  const packetizer = new Packetizer();
  let n = 0;
  const timer = setInterval(() => {
    for (const data of shape(
      packetizer.picture([slice(n % 5 === 0)]).map((p) => interleave(p)),
      n++,
    ))
      socket.write(data);
  }, 40);
  socket.on('close', () => clearInterval(timer));
}

/** A camera whose every answer the test decides; `played` is called once PLAY is answered. */
export async function scriptedCamera(o: {
  answer?: (request: Request, connection: number) => Answer;
  played?: (socket: Socket, connection: number) => void;
}): Promise<ScriptedCamera> {
  const requests: Request[] = [];
  const connections: number[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    connections.push(performance.now());
    const connection = connections.length;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    const message = (m: RtspMessage) => {
      const get = (name: string) => header(m, name);
      // The answers of the client to our own requests are kept as well.
      const method = m.method ?? `${m.status}`;
      const request = { method, uri: m.uri, authorization: get('authorization'), session: get('session') };
      requests.push(request);
      if (m.method === null) return;
      const answer = (o.answer ?? usual)(request, connection);
      if (!answer) return;
      const all = { CSeq: get('cseq') ?? '', ...answer.headers };
      const lines = Object.entries(all).map(([k, v]) => `${k}: ${v}\r\n`);
      if (answer.body) lines.push(`Content-Length: ${answer.body.length}\r\n`);
      socket.write(`RTSP/1.0 ${answer.status ?? '200 OK'}\r\n${lines.join('')}\r\n${answer.body ?? ''}`);
      const played = o.played ?? ((s: Socket) => streamVideo(s));
      if (method === 'PLAY') played(socket, connection);
    };
    const reader = new RtspReader({ frame: () => {}, message });
    socket.on('data', (chunk) => reader.push(chunk));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    url: `rtsp://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/Streaming/Channels/101`,
    requests,
    connections,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

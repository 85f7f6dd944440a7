/*
 * rtsp-streaming-server (npm) as a process of its own: ffmpeg publishes a picture to it, it serves that to clients, over UDP
 * only. Argument: JSON {publishPort, clientPort, rtpPort, path}. Prints "ready" when the picture is there; ends with its
 * standard input.
 */
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';

const { publishPort, clientPort, rtpPort, path } = JSON.parse(process.argv[2]!) as Record<string, number> & {
  path: string;
};
// A CommonJS module that says it is an ES module.
const require = createRequire(import.meta.url);
const { default: RtspServer } = require('rtsp-streaming-server') as typeof import('rtsp-streaming-server');
const server = new RtspServer({
  serverPort: publishPort!,
  clientPort: clientPort!,
  rtpPortStart: rtpPort!,
  rtpPortCount: 100,
  publishServerHooks: {
    checkMount: async () => {
      // The first pictures may be on their way all the same.
      setTimeout(() => console.log('ready'), 1_000);
      return true;
    },
  },
});
await server.start();
const picture = 'testsrc=size=320x240:rate=25';
const encode = ['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-g', '25', '-pix_fmt', 'yuv420p'];
const ffmpeg = spawn(
  'ffmpeg',
  [
    '-nostdin',
    '-loglevel',
    'error',
    '-re',
    '-f',
    'lavfi',
    '-i',
    picture,
    ...encode,
    '-f',
    'rtsp',
    `rtsp://127.0.0.1:${publishPort}${path}`,
  ],
  { stdio: ['ignore', 'ignore', 'inherit'] },
);
const end = () => {
  ffmpeg.kill('SIGKILL');
  process.exit(0);
};
process.stdin.on('end', end).on('error', end).resume();
process.on('SIGTERM', end);

import { Command, InvalidArgumentError, Option } from 'commander';
import { pino } from 'pino';
import type { ArcLabAccount } from './arc/receiver.ts';
import { SOUNDS, VIDEO_CODECS } from './camera/video.ts';
import { DEVICE_KINDS } from './devices/profile.ts';
import { type DeviceSpec, parseDevices } from './devices/spec.ts';
import { Lab } from './lab.ts';

const integer = (min: number, max: number) => (text: string) => {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < min || value > max) throw new InvalidArgumentError(`${min} to ${max}`);
  return value;
};
const port = integer(0, 65535);
const base = (text: string) => {
  if (!/^\d{1,3}\.\d{1,3}\.\d{1,3}\.$/.test(text)) throw new InvalidArgumentError('like 127.77.0.');
  return text;
};
const hostPort = (text: string) => {
  const found = /^(?:https?:\/\/)?([^:/]+):(\d{1,5})\/?$/.exec(text);
  if (!found) throw new InvalidArgumentError('like 127.0.0.1:8080');
  return { host: found[1]!, port: Number(found[2]) };
};
const accounts = (text: string): ArcLabAccount[] =>
  text.split(',').map((item) => {
    const found = /^([0-9A-F]{3,16})(?::((?:[0-9a-fA-F]{16}){2,4}))?$/.exec(item.trim());
    if (!found) throw new InvalidArgumentError('like 1234,5678:000102030405060708090A0B0C0D0E0F');
    return { account: found[1]!, key: found[2] ?? null };
  });
const devices = (text: string): DeviceSpec[] => {
  const specs = parseDevices(text);
  if (!specs)
    throw new InvalidArgumentError(
      `kinds with :unactivated, :foreign, :https or :redirect behind, of ${DEVICE_KINDS.join(', ')}`,
    );
  return specs;
};
/** One in clear, one encrypted. */
const DEFAULT_ACCOUNTS = '1234,5678:67617465706F73742D6C61622D6B6579';
const option = <T>(flags: string, text: string, env: string, fallback: T, parse?: (text: string) => T) => {
  const made = new Option(flags, text).env(env).default(fallback);
  return parse ? made.argParser(parse) : made;
};

const program = new Command('lab')
  .description(
    "A simulated customer LAN: cameras, an alarm receiver and faults, all on loopback. Prints 'ready {json}'.",
  )
  .addOption(option('--port <port>', 'control API on 127.0.0.1 (0: any free)', 'GATEPOST_LAB_PORT', 7700, port))
  .addOption(option('--data <dir>', 'what must survive a restart', 'GATEPOST_LAB_DATA', './var/lab'))
  .addOption(option('--base <prefix>', 'address prefix', 'GATEPOST_LAB_BASE', '127.77.0.', base))
  .addOption(option('--cameras <n>', 'number of cameras', 'GATEPOST_LAB_CAMERAS', 2, integer(0, 50)))
  .addOption(
    option('--unactivated <n>', 'further cameras without a password', 'GATEPOST_LAB_UNACTIVATED', 0, integer(0, 50)),
  )
  .addOption(
    option(
      '--devices <list>',
      'further devices: nvr,access:unactivated,…',
      'GATEPOST_LAB_DEVICES',
      [],
      devices as never,
    ),
  )
  .addOption(
    option('--many <n>', 'further unactivated devices of mixed kinds', 'GATEPOST_LAB_MANY', 0, integer(0, 128)),
  )
  .addOption(
    option(
      '--interface <name>',
      'not loopback but this one, alone in its namespace',
      'GATEPOST_LAB_INTERFACE',
      null,
      String as never,
    ),
  )
  .addOption(option('--http-port <port>', "the cameras' HTTP port (0: any free)", 'GATEPOST_LAB_HTTP_PORT', 8000, port))
  .addOption(option('--rtsp-port <port>', "the cameras' RTSP port (0: any free)", 'GATEPOST_LAB_RTSP_PORT', 8554, port))
  .addOption(option('--sadp-port <port>', 'SADP port (0: any free)', 'GATEPOST_SADP_PORT', 37020, port))
  .addOption(option('--wsd-port <port>', 'WS-Discovery port (0: any free)', 'GATEPOST_WSD_PORT', 3702, port))
  .addOption(option('--fps <n>', 'pictures a second', 'GATEPOST_LAB_FPS', 25, integer(1, 60)))
  .addOption(
    option('--bitrate <kbit/s>', 'video bit rate a camera', 'GATEPOST_LAB_BITRATE', 2000, integer(200, 20_000)),
  )
  .addOption(
    new Option('--codec <name>', "of the cameras' main streams")
      .env('GATEPOST_LAB_CODEC')
      .choices(VIDEO_CODECS)
      .default('h264'),
  )
  .addOption(
    new Option('--sound <name>', "what the cameras' microphones send")
      .env('GATEPOST_LAB_SOUND')
      .choices(SOUNDS)
      .default('none'),
  )
  .addOption(new Option('--no-video', 'no RTSP, for fast tests').env('GATEPOST_LAB_NO_VIDEO'))
  .addOption(option('--python <path>', 'Python with gi and GStreamer', 'GATEPOST_LAB_PYTHON', '/usr/bin/python3'))
  .addOption(
    new Option('--accounts <list>', 'accounts of the alarm receiver, account[:key in hex],…')
      .env('GATEPOST_LAB_ACCOUNTS')
      .argParser(accounts)
      .default(accounts(DEFAULT_ACCOUNTS), DEFAULT_ACCOUNTS),
  )
  .addOption(
    option('--receiver-port <port>', 'the receiver itself (0: any free)', 'GATEPOST_LAB_RECEIVER_PORT', 0, port),
  )
  .addOption(
    option('--arc-direct-port <port>', 'way to it for boxes (0: any free)', 'GATEPOST_LAB_ARC_DIRECT_PORT', 0, port),
  )
  .addOption(
    option('--arc-relay-port <port>', 'way to it for the relay (0: any free)', 'GATEPOST_LAB_ARC_RELAY_PORT', 0, port),
  )
  .addOption(option('--relay <host:port>', 'where box-relay forwards', 'GATEPOST_LAB_RELAY', null, hostPort as never))
  .addOption(
    option(
      '--box-relay-port <port>',
      'way to the relay for boxes (0: any free)',
      'GATEPOST_LAB_BOX_RELAY_PORT',
      0,
      port,
    ),
  )
  .parse();

const { bitrate, ...options } = program.opts();
if (options.interface === null && !options.base.startsWith('127.'))
  program.error(`error: --base ${options.base}: without --interface it is like 127.77.0.`);
const log = pino({ level: process.env.GATEPOST_LOG_LEVEL ?? 'info' }).child({ module: 'lab' });
const lab = new Lab({ ...options, kbps: bitrate, log } as ConstructorParameters<typeof Lab>[0]);

let stopping = false;
const stop = async (code: number) => {
  if (stopping) return;
  stopping = true;
  await lab.stop();
  process.exit(code);
};
process.on('SIGINT', () => stop(0));
process.on('SIGTERM', () => stop(0));

try {
  await lab.start();
  process.stdout.write(`ready ${JSON.stringify(lab.ready())}\n`);
} catch (error) {
  const { code, address, port: taken, message } = error as NodeJS.ErrnoException & { address?: string; port?: number };
  const text = code === 'EADDRINUSE' ? `${address}:${taken} is in use: does the lab run already?` : message;
  process.stderr.write(`lab: ${text}\n`);
  await stop(1);
}

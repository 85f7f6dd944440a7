import { FleetBox } from './fleet-box.ts';
import { KEY } from './fleet-centre.ts';

/** One box in a process of its own, to be stopped and killed. Says who it is, and when it has all its connections. */
const { BOX_DIR, BOX_RELAY, BOX_ACCOUNT } = process.env as Record<string, string>;
const box = new FleetBox({
  dir: BOX_DIR!,
  relayUrl: BOX_RELAY!,
  account: BOX_ACCOUNT!,
  key: Buffer.from(KEY, 'hex'),
});
const { identity, uplink, tunnel } = box.idle;
const when = async (what: string, fn: () => boolean) => {
  while (!fn()) await new Promise((resolve) => setTimeout(resolve, 20));
  process.stdout.write(`${what}\n`);
};
uplink.start();
await when(JSON.stringify({ serial: identity.serial, code: identity.code }), () => uplink.state().connected);
while (uplink.state().claimed !== true) await new Promise((resolve) => setTimeout(resolve, 20));
tunnel.start();
box.path.start();
await when('back', () => box.back);
process.on('SIGTERM', () => void box.stop().then(() => process.exit(0)));

import { LanStack } from './lan.ts';

/*
 * A relay, a claimed box and a LAN, for tests in a browser: `node lab/journeys/lan-main.ts nvr:unactivated,…`. Prints
 * `ready {"relay","siteId","boxSerial","lab","login"}` and stays until SIGTERM.
 */
const stack = new LanStack(process.argv[2] ?? '', process.argv[3]);
const stop = () => stack.stop().then(() => process.exit(0));
process.on('SIGTERM', stop);
process.on('SIGINT', stop);
try {
  await stack.start();
  const { relay, siteId, boxSerial, lab, login } = stack;
  process.stdout.write(`ready ${JSON.stringify({ relay, siteId, boxSerial, lab, login })}\n`);
} catch (error) {
  process.stderr.write(`${(error as Error).stack}\n`);
  await stack.stop();
  process.exit(1);
}

import { createInterface } from 'node:readline';
import { pino } from 'pino';
import { systemClock as clock } from '../../../protocol/clock.ts';
import { Activator } from '../../devices/activator.ts';
import { RefusedLogins } from '../../devices/refused-logins.ts';
import { Warnables } from '../../warnables.ts';
import { Discovery } from '../discovery.ts';
import { NeededAddresses } from '../needed.ts';
import { SadpCommander } from '../sadp-commander.ts';
import { TemporaryAddresses } from '../temporary-address.ts';

/*
 * The search and the activator in a network namespace. Takes lines and prints one line of JSON for each: `list`, `scan`,
 * `activate MAC PASSWORD`, `hang MAC` (sets the temporary address and never comes back).
 */
const { file } = JSON.parse(process.argv[2]!) as { file: string };
const log = pino({ level: 'silent' });
const discovery = new Discovery({ clock, log, warnables: new Warnables({ clock, log }) });
const needed = new NeededAddresses({ clock });
const temporary = new TemporaryAddresses({
  file,
  interfaces: () => discovery.interfaces(),
  taken: () => discovery.list().map((device) => device.address),
  needed: () => needed.list(),
  clock,
  log,
});
const sadp = new SadpCommander({ channel: discovery, clock, log });
const activator = new Activator({ discovery, temporary, sadp, refused: new RefusedLogins({ clock }), clock, log });
await temporary.start();
discovery.start();
const print = (value: unknown) => process.stdout.write(`${JSON.stringify(value)}\n`);

createInterface({ input: process.stdin }).on('line', async (line) => {
  const [command, mac = '', password = ''] = line.split(' ');
  if (command === 'scan') await discovery.scan();
  if (command === 'list' || command === 'scan') print(discovery.list());
  if (command === 'activate') print({ activated: mac, answer: await activator.activate({ mac, password }) });
  if (command === 'hang') {
    const device = discovery.byMac(mac)!;
    await temporary.with(device, () => {
      print({ hangs: mac });
      return new Promise(() => {});
    });
  }
});

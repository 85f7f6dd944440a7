import { isIPv4 } from 'node:net';
import { Command, Option } from 'commander';

/** What the box is started with: command line, else environment, else what is usual. */
export const readOptions = (version: string) =>
  new Command()
    .name('edge/main.ts')
    .description('The Gatepost box: looks after the devices of one LAN.')
    .addOption(new Option('--port <number>', 'port of the set-up page').env('GATEPOST_PORT').default('8081'))
    .addOption(
      new Option('--host <address>', 'address the set-up page listens on').env('GATEPOST_HOST').default('0.0.0.0'),
    )
    .addOption(new Option('--data <directory>', 'where everything is kept').env('GATEPOST_DATA').default('./var/edge'))
    .addOption(
      new Option('--relay <url>', 'address of the relay').env('GATEPOST_RELAY').default('http://127.0.0.1:8080'),
    )
    .addOption(new Option('--interface <name>', 'LAN interface (default: all but loopback)').env('GATEPOST_INTERFACE'))
    .addOption(
      new Option(
        '--second-interface <name>',
        'a further interface for alarms, with a way to the internet of its own (default: none)',
      ).env('GATEPOST_SECOND_INTERFACE'),
    )
    .addOption(new Option('--sadp-port <number>', 'UDP port of SADP').env('GATEPOST_SADP_PORT').default('37020'))
    .addOption(
      new Option('--wsd-port <number>', 'UDP port of WS-Discovery (0: do not search by it)')
        .env('GATEPOST_WSD_PORT')
        .default('3702'),
    )
    .addOption(
      new Option('--mdns-port <number>', 'UDP port of multicast DNS (0: do not search by it)').env(
        'GATEPOST_MDNS_PORT',
      ),
    )
    .addOption(
      new Option('--ssdp-port <number>', 'UDP port of SSDP (0: do not search by it)').env('GATEPOST_SSDP_PORT'),
    )
    .addOption(
      new Option('--dc09-port <number>', 'TCP and UDP port that alarm panels send DC-09 to (0: none may)')
        .env('GATEPOST_DC09_PORT')
        .default('12128'),
    )
    .addOption(
      new Option('--also-search <addresses...>', 'devices in other subnets, asked by unicast')
        .env('GATEPOST_ALSO_SEARCH')
        .argParser((text: string, all: string[] = []) => [...all, ...text.split(/[\s,]+/).filter((a) => isIPv4(a))])
        .default([]),
    )
    .addOption(new Option('--rtsp-port <n>', 'for streams on the LAN (0: none)').env('GATEPOST_RTSP_PORT').default('0'))
    .addOption(
      new Option('--setup-host <names...>', 'further names of the set-up page').env('GATEPOST_SETUP_HOST').default([]),
    )
    .addOption(
      new Option('--hold-down <ms>', 'how long the direct path must be good before it is used again')
        .env('GATEPOST_HOLD_DOWN')
        .default('60000'),
    )
    .addOption(
      new Option('--log-level <level>', 'fatal, error, warn, info, debug').env('GATEPOST_LOG_LEVEL').default('info'),
    )
    .version(version)
    .parse()
    .opts();

import type { World, WorldOptions } from './world.ts';

/** One way in which a path fails. */
export interface Kind {
  name: string;
  title: string;
  /** Which path fails; alarms take the other. */
  leg: 'direct' | 'relay';
  /** The first alarm of the outage is there within this. */
  firstMs: number;
  options: Partial<WorldOptions>;
  set(world: World, broken: boolean): Promise<void> | void;
}

const AT_ONCE = 2_000;
const AFTER_SILENCE = 12_000;
const NAME = 'receiver.arc.test';
/** Until the resolver of a machine gives up a name server: 5 s are usual. */
const NAME_SERVER_MS = 5_000;

type Mode = Parameters<World['toRelay']['setMode']>[0];
const direct = (mode: Mode) => (world: World, broken: boolean) =>
  world.centre.proxies.direct.setMode(broken ? mode : 'none');
const kind = (
  name: string,
  title: string,
  firstMs: number,
  set: Kind['set'],
  options: Partial<WorldOptions> = {},
): Kind => ({
  name,
  title,
  firstMs,
  set,
  options,
  leg: 'direct',
});
/** The rule gives the relay's path 5 h; here its loss is told as soon as the direct one's, so that a run shows it. */
const RELAY_TIMES = { relayFaultAfterMs: 45_000, relayPollMs: 20_000 };
const CID = { protocol: 'ADM-CID', keyBytes: 16 } as const;

export const KINDS: Kind[] = [
  kind('refused', 'refused', AT_ONCE, direct('refuse')),
  kind('reset', 'RST', AT_ONCE, direct('reset'), CID),
  kind('blackhole', 'black hole (SYN unanswered)', AFTER_SILENCE, direct('drop')),
  kind('half-open', 'half-open', AFTER_SILENCE, direct('halfOpen'), CID),
  kind('loss', '100 % loss after accept', AFTER_SILENCE, direct('blackhole')),
  kind('slow', 'slow (30 s ACK)', AFTER_SILENCE, direct('slow'), CID),
  kind(
    'dns',
    'DNS failure',
    AFTER_SILENCE,
    (world, broken) => world.box.say({ do: 'names', silentMs: broken ? NAME_SERVER_MS / world.run.scale : 0 }),
    { directName: NAME },
  ),
  {
    name: 'tls',
    title: 'TLS failure (relay’s leg)',
    leg: 'relay',
    firstMs: AT_ONCE,
    options: { ...CID, tls: true, timings: RELAY_TIMES },
    set: (world, broken) => world.tls!.setBroken(broken),
  },
  kind('swallowed', 'ACK swallowed', AFTER_SILENCE, direct('swallowAck')),
];

/** D9. */
export const RELAY_DOWN: Kind = {
  name: 'relay-down',
  title: 'relay refused',
  leg: 'relay',
  firstMs: AT_ONCE,
  options: { timings: RELAY_TIMES },
  set: (world, broken) => world.toRelay.setMode(broken ? 'refuse' : 'none'),
};

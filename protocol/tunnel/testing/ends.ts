import type { Duplex } from 'node:stream';
import { afterEach } from 'vitest';
import { type Clock, systemClock } from '../../clock.ts';
import type { Channel } from '../channel.ts';
import type { TunnelError } from '../errors.ts';
import type { TrafficClass } from '../messages.ts';
import type { TransportArguments } from '../transport.ts';
import { type ContractTransport, framingOf, HandPeer, type Implementation } from './pairs.ts';

/** The ends of connections that the contract's tests put against each other; cut after each test. */
export function contractEnds(implementation: Implementation) {
  const { mode } = implementation;
  const open: Duplex[] = [];
  afterEach(() => {
    for (const socket of open.splice(0)) socket.destroy();
  });

  async function connection() {
    const ends = await implementation.connection();
    open.push(ends.box, ends.relay);
    return ends;
  }

  function start(socket: Duplex, role: 'box' | 'relay', a: Partial<TransportArguments> = {}) {
    const end: { error: TunnelError | null } = { error: null };
    const onClose = (error: TunnelError) => {
      end.error = error;
    };
    const framing = framingOf(mode, role);
    const transport = implementation.make({ socket, framing, role, clock: systemClock, onClose, ...a });
    transport.start();
    return { transport, end };
  }

  /** Two of the implementation against each other; `accepted` yields the box's ends in the order of their opening. */
  async function pair(onChannel: (channel: Channel) => void = () => {}, clock: Clock = systemClock) {
    const { box: boxSocket, relay: relaySocket } = await connection();
    const box = start(boxSocket, 'box', {
      clock,
      onChannel: (channel) => {
        channel.on('error', () => {});
        onChannel(channel);
      },
    });
    const relay = start(relaySocket, 'relay', { clock });
    return { box: box.transport, relay: relay.transport, boxEnd: box.end, relayEnd: relay.end, boxSocket, relaySocket };
  }

  /** The implementation as relay, against a box made by hand. */
  async function relayAndHand(on: ConstructorParameters<typeof HandPeer>[2] = {}, clock: Clock = systemClock) {
    const ends = await connection();
    const { transport, end } = start(ends.relay, 'relay', { clock });
    return { relay: transport, end, hand: new HandPeer(ends.box, framingOf(mode, 'box'), on) };
  }

  function opened(transport: ContractTransport, c: TrafficClass = 'interactive'): Channel {
    const channel = transport.open(c);
    channel.on('error', () => {});
    return channel;
  }

  return { connection, start, pair, relayAndHand, opened };
}

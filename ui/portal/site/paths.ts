import type { Alarm, ArcAccount, Box, Device, EventDetail } from '../../../protocol/wire/api.ts';
import type { ArcLegs } from '../../../protocol/wire/arc-service.ts';
import type { Diagram, Leg, LegState, Node } from '../../components/diagram.ts';
import { t } from '../../components/i18n.ts';
import { between, formatDuration } from '../../components/time.ts';
import { deviceState } from './assess.ts';

const leg = (state: LegState, label: string): Leg => ({ state, label });

/** How things stand: the devices of one box, its relay, and the ways to the receiver of one account (null: no ARC yet). */
export function sitePaths(
  box: Box,
  devices: Device[],
  account: ArcAccount | null,
  /** How long the last alarms took on each leg. */
  legs: ArcLegs | null = null,
): Diagram {
  const own = devices.filter((device) => device.boxSerial === box.serial);
  const up = own.filter((device) => deviceState(device, [box]) === 'online').length;
  const works = box.online && box.state === 'claimed';
  const health = works ? (account?.health ?? null) : null;
  const use = health?.path;
  const lan: LegState = !works || own.length === 0 ? 'unknown' : up === 0 ? 'down' : 'used';
  const direct = directState();
  const relayArc = ((): LegState => {
    if (!account) return 'off';
    if (use === 'relay') return 'used';
    if (!health || health.relay === 'unknown') return 'unknown';
    return health.relay === 'up' ? 'ready' : 'down';
  })();
  function directState(): LegState {
    if (!account || account.mode === 'relay') return 'off';
    if (use === 'direct' || use === 'second') return 'used';
    if (!health || health.direct === 'unknown') return 'unknown';
    return health.direct === 'up' ? 'ready' : 'down';
  }
  const uplink: LegState = !works ? 'down' : use === 'relay' ? 'used' : 'ready';
  const rtt = works ? box.health?.tunnelRttMs : null;
  const nodes: Diagram['nodes'] = {
    devices: {
      title: t('path.devices'),
      sub: !works
        ? t('state.unknown')
        : own.length === 0
          ? t('path.noDevices')
          : t('path.online', { up, of: own.length }),
      level: !works || own.length === 0 ? 'unknown' : up === own.length ? 'well' : up === 0 ? 'problem' : 'attention',
    },
    box: { title: t('path.box'), sub: box.serial, level: works ? 'well' : 'problem' },
    relay: { title: t('path.relay'), sub: t('path.thisRelay'), level: 'well' },
    arc: account && {
      title: account.receiverName,
      sub: t('path.account', { account: account.account }),
      level: !health ? 'unknown' : health.path === 'none' ? 'problem' : 'well',
    },
  };
  const straight = use === 'second' ? 'path.second' : 'path.direct';
  const took = use === 'second' ? legs?.secondMs : legs?.directMs;
  const time = (ms: number | null | undefined) => (ms === null || ms === undefined ? null : formatDuration(ms));
  /** What stands at a leg: the delay where it works and one is known; `full` says the state as well. */
  const told = (full: boolean): Diagram['legs'] => {
    const say = (state: LegState, word: string, ms: number | null | undefined) => {
      const known = state === 'used' || state === 'ready' ? time(ms) : null;
      return known === null ? word : full ? `${word}, ${known}` : known;
    };
    return {
      lan: leg(lan, say(lan, t(`path.leg.${lan === 'used' ? 'works' : lan}`), legs?.deviceToBoxMs)),
      direct: leg(direct, t(straight, { state: say(direct, t(`path.leg.${direct}`), took) })),
      uplink: leg(uplink, rtt ? t('path.rtt', { time: formatDuration(rtt) }) : t(`path.leg.${uplink}`)),
      relayArc: leg(
        relayArc,
        t('path.viaRelay', { state: say(relayArc, t(`path.leg.${relayArc}`), legs?.relayToArcMs) }),
      ),
    };
  };
  return { nodes, legs: told(false), summary: summary(nodes, told(true)) };
}

/** The way of one alarm, with the time that each leg took. */
export function alarmPath(event: Pick<EventDetail, 'deviceName' | 'boxSerial'>, alarm: Alarm): Diagram {
  const done = alarm.state === 'acknowledged' && alarm.acknowledgedAt;
  const seen = t('path.took', { time: formatDuration(Math.max(0, between(alarm.occurredAt, alarm.queuedAt))) });
  const took = done ? t('path.took', { time: formatDuration(between(alarm.queuedAt, alarm.acknowledgedAt!)) }) : '';
  const way = (path: 'direct' | 'relay'): LegState =>
    alarm.path !== path ? 'off' : done ? 'used' : alarm.state === 'failed' ? 'down' : 'unknown';
  const states: Record<Alarm['state'], Node['level']> = { acknowledged: 'well', waiting: 'working', failed: 'problem' };
  const nodes: Diagram['nodes'] = {
    devices: { title: event.deviceName ?? t('path.box'), sub: t('path.recognised'), level: 'well' },
    box: { title: t('path.box'), sub: event.boxSerial, level: 'well' },
    relay: alarm.path === 'relay' ? { title: t('path.relay'), sub: t('path.passedOn'), level: 'well' } : null,
    arc: { title: alarm.receiverName, sub: t(`alarm.state.${alarm.state}`), level: states[alarm.state] },
  };
  const legs: Diagram['legs'] = {
    lan: leg('used', seen),
    direct: leg(way('direct'), t('path.direct', { state: took || t(`alarm.state.${alarm.state}`) })),
    uplink: leg(way('relay'), ''),
    relayArc: leg(way('relay'), t('path.viaRelay', { state: took || t(`alarm.state.${alarm.state}`) })),
  };
  return { nodes, legs, summary: summary(nodes, legs) };
}

/** The picture in sentences. */
function summary(nodes: Diagram['nodes'], legs: Diagram['legs']): string {
  const say = (from: Node | null, to: Node | null, line: Leg) =>
    from && to && line.state !== 'off'
      ? t('path.sentence', { from: from.title, to: to.title, label: line.label || t(`path.leg.${line.state}`) })
      : '';
  const places = [nodes.devices, nodes.box, nodes.arc].filter((node) => node !== null);
  return [
    places.map((node) => `${node.title}: ${node.sub}.`).join(' '),
    say(nodes.devices, nodes.box, legs.lan),
    say(nodes.box, nodes.arc, legs.direct),
    say(nodes.box, nodes.relay, legs.uplink),
    say(nodes.relay, nodes.arc, legs.relayArc),
  ]
    .filter(Boolean)
    .join(' ');
}

import type { DeviceListItem } from '../../protocol/wire/operations.ts';
import type { Result } from '../isapi/answer.ts';
import { ETHERNET, INTERFACES, INTERFACES_X, POE, UP } from './oids.ts';
import { type Column, numberOf, type Snmp, textOf } from './snmp.ts';

export interface Port {
  /** ifIndex. */
  index: string;
  name: string;
  alias: string;
  enabled: boolean | null;
  up: boolean;
  /** Mbit/s; null while there is no link. */
  speed: number | null;
  rx: number | null;
  tx: number | null;
  errors: number | null;
  poe: 'delivering' | 'searching' | 'off' | 'fault' | null;
  poeClass: number | null;
}

const DETECTION: Record<number, Port['poe']> = {
  1: 'off',
  2: 'searching',
  3: 'delivering',
  4: 'fault',
  5: 'searching',
  6: 'fault',
};

/** Its Ethernet ports (IF-MIB), with what they power (POWER-ETHERNET-MIB). */
export async function readPorts(snmp: Snmp): Promise<Result<Port[]>> {
  const basic = await snmp.columns(INTERFACES);
  if (!basic.ok) return basic;
  const more = await snmp.columns(INTERFACES_X);
  const poe = await snmp.columns(POE);
  const x = more.ok ? more.value : null;
  const i = basic.value;
  const indexes = [...i.type]
    .filter(([, type]) => typeof type === 'number' && ETHERNET.has(type))
    .map(([index]) => index)
    .slice(0, 1024);
  const powered = poe.ok ? poweredPorts(indexes, poe.value.detection) : new Map<string, string>();
  const ports = indexes.map((index): Port => {
    const up = numberOf(i.oper.get(index)) === UP;
    const high = numberOf(x?.highSpeed.get(index));
    const plain = numberOf(i.speed.get(index));
    const power = powered.get(index);
    const errors = [i.inErrors, i.outErrors].map((c) => numberOf(c.get(index)));
    return {
      index,
      name: textOf(x?.name.get(index)) || textOf(i.descr.get(index)) || `Port ${index}`,
      alias: textOf(x?.alias.get(index)),
      enabled: i.admin.has(index) ? numberOf(i.admin.get(index)) === UP : null,
      up,
      speed: up ? high || (plain === null ? null : Math.round(plain / 1e6)) || null : null,
      rx: numberOf(x?.inOctets.get(index)) ?? numberOf(i.inOctets.get(index)),
      tx: numberOf(x?.outOctets.get(index)) ?? numberOf(i.outOctets.get(index)),
      errors: errors.every((n) => n === null) ? null : errors.reduce<number>((a, n) => a + (n ?? 0), 0),
      poe: power && poe.ok ? (DETECTION[numberOf(poe.value.detection.get(power)) ?? 0] ?? null) : null,
      poeClass: power && poe.ok ? numberOf(poe.value.class.get(power)) : null,
    };
  });
  return { ok: true, value: ports };
}

/**
 * Which power entry (group.port) belongs to which interface. No MIB says so; agents number ports alike in both, and where
 * the numbers do not meet, the order does.
 */
function poweredPorts(indexes: string[], detection: Column): Map<string, string> {
  const entries = [...detection.keys()].filter((key) => /^\d+\.\d+$/.test(key));
  const byNumber = new Map(entries.map((key) => [key.split('.')[1]!, key]));
  const meets = indexes.filter((index) => byNumber.has(index));
  if (meets.length === entries.length) return new Map(meets.map((index) => [index, byNumber.get(index)!]));
  return new Map(indexes.slice(0, entries.length).map((index, at) => [index, entries[at]!]));
}

/** Ports as a list; the rates are those since the reading before. */
export function portItems(
  ports: Port[],
  before: { ports: Port[]; ms: number } | null,
  nowMs: number,
): DeviceListItem[] {
  const seconds = before ? (nowMs - before.ms) / 1_000 : 0;
  const rate = (now: number | null, then: number | null | undefined) =>
    seconds >= 1 && now !== null && typeof then === 'number' && now >= then
      ? Math.round(((now - then) * 8) / seconds / 1_000)
      : null;
  return ports.map((port) => {
    const was = before?.ports.find((p) => p.index === port.index);
    const values = {
      enabled: port.enabled,
      up: port.up,
      speed: port.speed,
      rxRate: rate(port.rx, was?.rx),
      txRate: rate(port.tx, was?.tx),
      rx: port.rx,
      tx: port.tx,
      errors: port.errors,
      poe: port.poe,
      poeClass: port.poe ? port.poeClass : null,
    };
    return {
      id: port.index,
      name: port.alias && port.alias !== port.name ? `${port.name} (${port.alias})`.slice(0, 128) : port.name,
      values: Object.fromEntries(Object.entries(values).filter(([, v]) => v !== null)),
    };
  });
}

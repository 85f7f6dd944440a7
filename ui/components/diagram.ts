/*
 * The picture of the way that an alarm goes: devices → box → directly, or through the relay → ARC. Pure data; the drawing
 * is in diagram.tsx.
 */
import type { Level } from './icons.tsx';

/** `used`: the way taken now (or by this alarm); `ready`: would work; `off`: there is no such way. */
export type LegState = 'used' | 'ready' | 'down' | 'unknown' | 'off';
export interface Leg {
  state: LegState;
  label: string;
}
export interface Node {
  title: string;
  sub: string;
  level: Level;
}
export interface Diagram {
  /** `relay` null: not on the way; `arc` null: there is none yet. */
  nodes: { devices: Node; box: Node; relay: Node | null; arc: Node | null };
  legs: { lan: Leg; direct: Leg; uplink: Leg; relayArc: Leg };
  /** The whole picture in words. */
  summary: string;
}
export type LegName = keyof Diagram['legs'];

import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { Health } from '../protocol/wire/uplink.ts';

/** Prometheus text of the box: what {@link Health} says, in base units. */
export function boxMetrics(health: () => Health): () => Promise<string> {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const gauge = (name: string, help: string, labelNames: string[] = []) =>
    new Gauge({ name: `gatepost_box_${name}`, help, labelNames, registers: [registry] });
  const waiting = gauge('queue_waiting', 'Items waiting in a durable queue', ['queue']);
  const uploadBytes = gauge('upload_waiting_bytes', 'Bytes of clips waiting for upload');
  const diskFree = gauge('disk_free_bytes', 'Free room in the data directory');
  const rtt = gauge('tunnel_rtt_seconds', 'Round trip to the relay through the tunnel');
  const devices = gauge('devices', 'Devices by state', ['state']);
  const warnables = gauge('warnables', 'Standing problems by severity', ['severity']);
  const build = gauge('info', 'Version of the box', ['version']);

  return () => {
    const h = health();
    for (const queue of ['uplink', 'upload', 'arc'] as const) waiting.set({ queue }, h.queues[queue]);
    uploadBytes.set(h.queues.uploadBytes);
    diskFree.set(h.diskFreeBytes);
    rtt.set(h.tunnelRttMs === null ? Number.NaN : h.tunnelRttMs / 1000);
    for (const state of ['connecting', 'online', 'offline', 'refused', 'locked', 'notActivated'] as const) {
      devices.set({ state }, h.devices.filter((d) => d.state === state).length);
    }
    for (const severity of ['info', 'warning', 'error'] as const) {
      warnables.set({ severity }, h.warnables.filter((w) => w.severity === severity).length);
    }
    build.set({ version: h.version }, 1);
    return registry.metrics();
  };
}

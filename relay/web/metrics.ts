import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** Metrics of one relay, in a registry of its own. */
export class Metrics {
  readonly registry = new Registry();
  readonly records = new Counter({
    name: 'gatepost_journal_records_total',
    help: 'Records of boxes’ journals stored, repeats included',
    labelNames: ['kind'],
    registers: [this.registry],
  });
  readonly boxesRefused = new Counter({
    name: 'gatepost_boxes_refused_total',
    help: 'Connections of boxes refused, by reason',
    labelNames: ['code'],
    registers: [this.registry],
  });
  readonly requests = new Histogram({
    name: 'gatepost_http_request_seconds',
    help: 'Requests of the portal API, streams excluded',
    labelNames: ['method', 'status'],
    buckets: [0.005, 0.02, 0.1, 0.5, 2, 10],
    registers: [this.registry],
  });

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  /** A value that is read when it is asked for. */
  gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      name,
      help,
      registers: [this.registry],
      collect() {
        this.set(read());
      },
    });
  }
}

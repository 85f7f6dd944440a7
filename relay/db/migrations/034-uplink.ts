import { uuidv7 } from '../../../protocol/wire/ids.ts';
import type { Migration } from './migration.ts';

const K_SERIES: readonly string[] = [
  ...['DS-7604NI-K1(C)', 'DS-7604NI-K1/4P(C)', 'DS-7608NI-K1(C)', 'DS-7608NI-K1/8P(C)', 'DS-7616NI-K1(C)'],
  ...['DS-7608NI-K2', 'DS-7608NI-K2/8P', 'DS-7616NI-K2', 'DS-7616NI-K2/16P', 'DS-7632NI-K2', 'DS-7632NI-K2/16P'],
  ...['DS-7708NI-K4', 'DS-7716NI-K4', 'DS-7716NI-K4/16P', 'DS-7732NI-K4', 'DS-7732NI-K4/16P'],
];
const K_SERIES_D: readonly string[] = ['DS-7604NI-K1/4P(D)', 'DS-7608NI-K1(D)'];
const NXI: readonly string[] = [
  ...['DS-7604NXI-K1', 'DS-7604NXI-K1/4P', 'DS-7608NXI-K1', 'DS-7608NXI-K1/8P', 'DS-7616NXI-K1'],
  ...['DS-7608NXI-K2', 'DS-7608NXI-K2/8P', 'DS-7616NXI-K2'],
];
const NXI_FEATURES = JSON.stringify({
  video: true,
  remoteUpgrade: true,
  remoteConfiguration: true,
  health: true,
  coBranding: true,
  arc: false,
  linkage: true,
});

/** Tests of the uplink of boxes, and the compatibility list with what is known at the beginning. */
export const uplink: Migration = {
  name: '034-uplink',
  async up(db) {
    const s = db.schema;
    await s
      .createTable('bandwidth_tests')
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('siteId', 'text', (c) => c.notNull().references('sites.id'))
      .addColumn('boxSerial', 'text', (c) => c.notNull())
      .addColumn('deviceId', 'text')
      .addColumn('userId', 'text', (c) => c.notNull())
      .addColumn('state', 'text', (c) => c.notNull())
      .addColumn('startedMs', 'bigint', (c) => c.notNull())
      .addColumn('endedMs', 'bigint')
      .addColumn('bytes', 'bigint', (c) => c.notNull())
      .addColumn('kbps', 'integer')
      .addColumn('yielded', 'integer', (c) => c.notNull())
      .addColumn('code', 'text')
      .addColumn('text', 'text')
      .addColumn('recommended', 'text')
      .execute();
    await s.createIndex('bandwidth_tests_box').on('bandwidth_tests').columns(['boxSerial', 'id']).execute();
    await s
      .createTable('compatibility')
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('list', 'text', (c) => c.notNull())
      .addColumn('deviceType', 'text', (c) => c.notNull())
      .addColumn('series', 'text', (c) => c.notNull())
      .addColumn('model', 'text', (c) => c.notNull())
      .addColumn('modelKey', 'text', (c) => c.notNull())
      .addColumn('baseKey', 'text', (c) => c.notNull())
      .addColumn('firmware', 'text', (c) => c.notNull())
      .addColumn('maxChannels', 'integer')
      .addColumn('maxWidth', 'integer')
      .addColumn('maxHeight', 'integer')
      .addColumn('maxKbps', 'integer')
      .addColumn('features', 'text', (c) => c.notNull())
      .addColumn('remarks', 'text', (c) => c.notNull())
      .addColumn('words', 'text', (c) => c.notNull())
      .addColumn('importedMs', 'bigint')
      .addUniqueConstraint('compatibility_once', ['list', 'modelKey', 'firmware'])
      .execute();
    await s.createIndex('compatibility_model').on('compatibility').columns(['baseKey']).execute();

    const row = (list: string, series: string, model: string, more: Record<string, unknown>) => ({
      id: uuidv7(),
      list,
      deviceType: 'Network video recorder',
      series,
      model,
      modelKey: model,
      baseKey: model.replace(/\([A-Z]\)$/, ''),
      remarks: '',
      features: '{}',
      words: [model, series, 'Network video recorder'].join(' ').toLowerCase(),
      ...more,
    });
    const limit = (firmware: string, maxChannels: number) => ({
      firmware,
      maxChannels,
      maxWidth: 4096,
      maxHeight: 2160,
      maxKbps: 5120,
    });
    const rows = [
      ...K_SERIES.map((model) => row('cloud-nvr', 'K', model, limit('V4.72.107', 2))),
      ...K_SERIES_D.map((model) => row('cloud-nvr', 'K', model, limit('V4.74.000', 1))),
      ...NXI.map((model) => row('co-branding', 'K', model, { firmware: 'V4.71.106', features: NXI_FEATURES })),
    ];
    await db.insertInto('compatibility').values(rows).execute();
  },
};

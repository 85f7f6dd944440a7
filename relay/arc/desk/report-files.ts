import type { DeskReport } from '../../../protocol/wire/arc-desk.ts';
import { cell } from '../../audit/csv.ts';
import { Pdf } from './pdf.ts';

const PATH_NAMES = {
  direct: 'direct',
  relay: 'through the relay',
  second: 'second interface',
  all: 'all paths',
} as const;
export const DISCLAIMER =
  'Designed to DP4 timings (EN 50136-1). This is a record of what was measured, not a certificate: certification is of a whole transmission system by an accredited body. A path counts as available from the first answer after an outage; time before a path was known is not counted.';

/** One value a line, so that programs find it by section and name; times in UTC, durations in milliseconds. */
export function reportCsv(report: DeskReport): string {
  const { account, availability, alarms, tests } = report;
  const rows: (string | number | null)[][] = [['Section', 'Item', 'Value', 'From (UTC)', 'Until (UTC)', 'Unit']];
  const add = (section: string, item: string, value: string | number | null, unit = '') =>
    rows.push([section, item, value, '', '', unit]);
  rows.push(['report', 'month', report.month, report.from, report.to, '']);
  add('report', 'made at', report.madeAt);
  add('account', 'number', account.account);
  add('account', 'receiver', account.receiverName);
  add('account', 'site', account.site.name);
  add('account', 'box', account.boxSerial);
  for (const { path, ...line } of [{ path: 'all' as const, ...availability }, ...report.paths]) {
    const section = `availability ${PATH_NAMES[path]}`;
    add(section, 'available', line.percent, '%');
    add(section, 'observed', line.observedMs, 'ms');
    add(section, 'lost', line.downMs, 'ms');
    add(section, 'outages', line.outages);
    add(section, 'longest outage', line.longestMs, 'ms');
    if ('slowestReportMs' in line) {
      add(section, 'slowest report to the receiver', line.slowestReportMs, 'ms');
      add(section, 'limit for the report', line.limitMs, 'ms');
    }
  }
  for (const outage of report.outages) {
    rows.push(['outage', PATH_NAMES[outage.path], outage.durationMs, outage.from, outage.to, 'ms']);
    if (outage.toldAt) {
      rows.push(['outage report', PATH_NAMES[outage.path], outage.reportingMs, outage.from, outage.toldAt, 'ms']);
    }
  }
  if (report.outagesLeftOut > 0) add('outage', 'not listed', report.outagesLeftOut);
  if (report.alarmsCountedTo !== null) add('messages', 'counted only before', report.alarmsCountedTo);
  for (const item of ['sent', 'acknowledged', 'waiting', 'failed'] as const) add('messages', item, alarms[item]);
  add('messages', 'possible repeats', alarms.possibleRepeats);
  add('messages', 'delayed (over 20 s)', alarms.delayed);
  for (const { path, count } of alarms.byPath) add('messages', PATH_NAMES[path], count);
  add('transmission time', 'mean', alarms.times?.meanMs ?? null, 'ms');
  add('transmission time', '95 %', alarms.times?.p95Ms ?? null, 'ms');
  add('transmission time', 'longest', alarms.times?.maxMs ?? null, 'ms');
  add('tests', 'sent', tests.sent);
  add('tests', 'acknowledged', tests.acknowledged);
  for (const test of report.testModes) {
    rows.push(['test mode', test.startedBy, test.note, test.startedAt, test.endedAt ?? test.untilAt, '']);
  }
  // With a byte order mark: spreadsheets take it for Latin-1 otherwise.
  return `\uFEFF${rows.map((row) => row.map(cell).join(',')).join('\r\n')}\r\n`;
}

export function reportPdf(report: DeskReport): Buffer {
  const { account, availability, alarms, tests } = report;
  const pdf = new Pdf({ title: `Gatepost: alarm transmission report, account ${account.account}, ${report.month}` });
  pdf
    .heading(`Alarm transmission report ${report.month}`, 17)
    .gap(4)
    .facts([
      ['Account', account.account],
      ['Receiver', account.receiverName],
      ['Site', account.site.name],
      ['Box', account.boxSerial],
      ['Period (UTC)', `${at(report.from)} to ${at(report.to)}`],
      ['Made (UTC)', at(report.madeAt)],
    ]);
  pdf.heading('Availability').table(
    [
      { title: 'Path', at: 0, width: 120 },
      { title: 'Available', at: 190, right: true, width: 70 },
      { title: 'Lost', at: 260, right: true, width: 70 },
      { title: 'Outages', at: 315, right: true, width: 50 },
      { title: 'Longest', at: 385, right: true, width: 70 },
      { title: 'Slowest report / limit', at: 495, right: true, width: 110 },
    ],
    [{ path: 'all' as const, ...availability, slowestReportMs: null, limitMs: 90_000 }, ...report.paths].map((line) => [
      line.path === 'all' ? 'at least one path' : PATH_NAMES[line.path],
      line.percent === null ? 'not known' : `${line.percent.toFixed(4)} %`,
      duration(line.downMs),
      String(line.outages),
      line.outages === 0 ? '–' : duration(line.longestMs),
      `${line.slowestReportMs === null ? '–' : duration(line.slowestReportMs)} / ${duration(line.limitMs)}`,
    ]),
  );
  pdf.heading('Messages');
  if (report.alarmsCountedTo !== null)
    pdf.paragraph(`There were more messages than are counted: only those before ${at(report.alarmsCountedTo)} are.`);
  pdf.facts([
    [
      'Sent',
      `${alarms.sent}, of them acknowledged ${alarms.acknowledged}, waiting ${alarms.waiting}, failed ${alarms.failed}`,
    ],
    ['By path', alarms.byPath.map(({ path, count }) => `${PATH_NAMES[path]} ${count}`).join(', ') || '–'],
    ['Delayed over 20 s', String(alarms.delayed)],
    ['Possible repeats', String(alarms.possibleRepeats)],
    [
      'Time to acknowledgement',
      alarms.times
        ? `mean ${duration(alarms.times.meanMs)}, 95 % ${duration(alarms.times.p95Ms)}, longest ${duration(alarms.times.maxMs)}`
        : '–',
    ],
    ['DP4 timings', 'mean 10 s, 95 % 15 s, longest 20 s'],
    ['Test messages', `${tests.sent}, acknowledged ${tests.acknowledged}`],
  ]);
  pdf.heading('Outages');
  if (report.outages.length === 0) pdf.paragraph('None.');
  else {
    pdf.table(
      [
        { title: 'Path', at: 0, width: 105 },
        { title: 'From (UTC)', at: 115, width: 110 },
        { title: 'Until (UTC)', at: 235, width: 110 },
        { title: 'Duration', at: 420, right: true, width: 70 },
        { title: 'Told after', at: 495, right: true, width: 70 },
      ],
      report.outages.map((outage) => [
        PATH_NAMES[outage.path],
        at(outage.from),
        outage.to ? at(outage.to) : 'still lost',
        duration(outage.durationMs),
        outage.reportingMs === null ? '–' : duration(outage.reportingMs),
      ]),
    );
    if (report.outagesLeftOut > 0) pdf.gap(4).paragraph(`${report.outagesLeftOut} more are not listed.`);
  }
  if (report.testModes.length > 0) {
    pdf.heading('Test mode').table(
      [
        { title: 'By', at: 0, width: 140 },
        { title: 'From (UTC)', at: 150, width: 110 },
        { title: 'Until (UTC)', at: 270, width: 110 },
        { title: 'Note', at: 390, width: 105 },
      ],
      report.testModes.map((test) => [test.startedBy, at(test.startedAt), at(test.endedAt ?? test.untilAt), test.note]),
    );
  }
  return pdf.gap(14).paragraph(DISCLAIMER, 8).bytes();
}

const at = (instant: string): string => instant.replace('T', ' ').slice(0, 19);

function duration(ms: number): string {
  if (ms < 1_000) return `${ms} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  const two = (a: number, b: number, first: string, second: string) => `${a} ${first} ${b} ${second}`;
  if (seconds < 3_600) return two(Math.floor(seconds / 60), seconds % 60, 'min', 's');
  if (seconds < 86_400) return two(Math.floor(seconds / 3_600), Math.floor((seconds % 3_600) / 60), 'h', 'min');
  return two(Math.floor(seconds / 86_400), Math.floor((seconds % 86_400) / 3_600), 'd', 'h');
}

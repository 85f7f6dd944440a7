// Writes operations until it is killed; says how many are stored for certain.
import pino from 'pino';
import { systemClock } from '../../../protocol/clock.ts';
import { openTestDatabase } from '../../testing/database.ts';
import { OperationLog } from '../operation-log.ts';
import { sample } from './sample.ts';

const [dir, companyId] = process.argv.slice(2) as [string, string];
const db = await openTestDatabase(dir);
const operationLog = new OperationLog({ db, clock: systemClock, log: pino({ level: 'silent' }) });
for (let written = 0; ; ) {
  const operation = sample(companyId, { atMs: systemClock.now() });
  const pending = await operationLog.begin(operation);
  await operationLog.finish(pending, operation, [companyId]);
  process.stdout.write(`${++written}\n`);
}

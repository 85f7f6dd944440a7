import { ArcBox, account } from './harness.ts';

/** A box in a process of its own, to be killed: writes the number of each event once it is in the journal. */
const { BOX_DIR, BOX_ACCOUNT, BOX_FIRST } = process.env;
const given = JSON.parse(BOX_ACCOUNT ?? '{}');
const box = new ArcBox({ dir: BOX_DIR }).start([account(given)]);
for (let n = Number(BOX_FIRST); ; n++) {
  await box.event('motion', n);
  process.stdout.write(`${n}\n`);
  await new Promise((resolve) => setTimeout(resolve, 8));
}

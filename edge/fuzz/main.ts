import { Command } from 'commander';
import { DATAGRAMS } from './datagrams.ts';
import { DOCUMENTS } from './documents.ts';
import { fuzz } from './fuzz.ts';
import { SOAP } from './soap.ts';
import { STREAMS } from './streams.ts';

const { runs, seed } = new Command('fuzz')
  .description('Gives mutated datagrams, event streams and documents to all that reads what devices send.')
  .option('--runs <n>', 'inputs', '1000000')
  .option('--seed <n>', 'gives the same inputs again', '1')
  .parse()
  .opts<{ runs: string; seed: string }>();

const report = fuzz([...DATAGRAMS, ...STREAMS, ...DOCUMENTS, ...SOAP], { runs: Number(runs), seed: Number(seed) });
for (const [name, count] of Object.entries(report.byTarget)) console.log(`${String(count).padStart(9)}  ${name}`);
const { seconds, grownBytes, slowest } = report;
console.log(
  `${report.runs} inputs in ${seconds.toFixed(0)} s, no failure; heap ${(grownBytes / 1e6).toFixed(1)} MB more than after the first tenth; slowest ${slowest.ms.toFixed(0)} ms (${slowest.target}); seed ${seed}`,
);

import { Command } from 'commander';
import { DATAGRAMS } from './datagrams.ts';
import { DOCUMENTS } from './documents.ts';
import { fuzz } from './fuzz.ts';
import { MEDIA } from './media.ts';
import { RECORDINGS } from './recordings.ts';
import { RESTREAM } from './restream.ts';
import { SOAP } from './soap.ts';
import { STREAMS } from './streams.ts';

const { runs, seed, media } = new Command('fuzz')
  .description(
    'Gives mutated datagrams, event streams, documents and media to all that reads what devices and viewers on the LAN send.',
  )
  .option('--runs <n>', 'inputs', '1000000')
  .option('--seed <n>', 'gives the same inputs again', '1')
  .option('--media', 'RTSP, SDP, RTP and the re-stream alone')
  .parse()
  .opts<{ runs: string; seed: string; media?: boolean }>();

const others = media ? [] : [...DATAGRAMS, ...STREAMS, ...DOCUMENTS, ...SOAP, ...RECORDINGS];
const report = await fuzz([...others, ...MEDIA, ...RESTREAM], { runs: Number(runs), seed: Number(seed) });
for (const [name, count] of Object.entries(report.byTarget)) console.log(`${String(count).padStart(9)}  ${name}`);
const { seconds, grownBytes, slowest } = report;
console.log(
  `${report.runs} inputs in ${seconds.toFixed(0)} s, no failure; heap ${(grownBytes / 1e6).toFixed(1)} MB more than after the first tenth; slowest ${slowest.ms.toFixed(0)} ms (${slowest.target}); seed ${seed}`,
);

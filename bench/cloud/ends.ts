/*
 * The two ends of the cloud benchmark, each in a namespace of its own; both read the clip's parts from SAMPLE:
 *
 *   node bench/cloud/ends.ts relay DIR HOST SAMPLE   clip uploads, tunnel, and a place for `curl -T`
 *       {begin: clipId}   the clip is reported, as recorded
 *       {await: clipId}   answers {at}: when the last part was there
 *       {check: clipIds}  answers {rows, wrong}: what is stored of them, and what differs from what was recorded
 *   node bench/cloud/ends.ts box DIR URL SAMPLE      tunnel, pacer and upload queue
 *       {add: clipId}     answers {at}: its parts stand in the queue
 *       {wait: true}      answers {} once nothing waits any more
 */
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { Pacer } from '../../edge/upload/pacer.ts';
import { systemClock as clock } from '../../protocol/clock.ts';
import { asUser, clipReport, SERIAL, startClipRelay } from '../../relay/clips/testing/relay.ts';
import { describe } from '../../relay/clips/testing/sample.ts';
import { TunnelHub } from '../../relay/tunnel/hub.ts';
import { makeClient, silent } from '../tunnel/pair.ts';
import { makeBox } from '../uploads/box.ts';

const PLAIN_PORT = 8_090;

const [role, dir, where, sample] = process.argv.slice(2) as [string, string, string, string];
const paths = readdirSync(sample)
  .filter((name) => /^\d+$/.test(name))
  .sort((a, b) => Number(a) - Number(b))
  .map((name) => join(sample, name));
const parts = paths.map((path, n) => describe(readFileSync(path), n));
const until = async (what: () => boolean | Promise<boolean>) => {
  while (!(await what())) await clock.sleep(10);
};

if (role === 'relay') {
  const relay = await startClipRelay({ dir, host: where });
  const hub = new TunnelHub({ clock, log: silent });
  relay.server.on('upgrade', (request, socket, head) => {
    hub.handleUpgrade(request, socket, head, { serial: SERIAL, boot: 'boot', epoch: 1 });
  });
  createServer((request, response) => void request.resume().on('end', () => response.end())).listen(PLAIN_PORT, where);
  hub.onChange((_, connected) => connected && process.send!({ connected }));
  const recorded = { state: 'ended' as const, fragments: parts.length - 1, durationMs: (parts.length - 1) * 1_000 };
  const wrong = async (clipId: string): Promise<number> => {
    const answer = await fetch(`${relay.url}/api/v1/clips/${clipId}/video`, { headers: asUser() });
    const video = Buffer.from(await answer.arrayBuffer());
    let [at, differing] = [video.length, 0];
    for (const part of parts.slice(1).reverse()) {
      if (!video.subarray(at - part.size, at).equals(part.data)) differing++;
      at -= part.size;
    }
    return differing;
  };
  process.on('message', async (m: { begin?: string; await?: string; check?: string[] }) => {
    if (m.begin) await relay.report(clipReport(m.begin, recorded));
    if (m.await) {
      await until(async () => (await relay.clips.fragments(m.await!)).length === parts.length);
      process.send!({ at: Date.now() });
    }
    if (m.check) {
      let [rows, differing] = [0, 0];
      for (const clipId of m.check) {
        rows += (await relay.clips.fragments(clipId)).length;
        differing += await wrong(clipId);
      }
      process.send!({ rows, wrong: differing });
    }
  });
  process.send!({ url: relay.url, plain: `http://${where}:${PLAIN_PORT}/clip.mp4` });
} else {
  const tunnel = makeClient(new URL(where), { serial: SERIAL });
  tunnel.start();
  const { queue } = makeBox({ dir, relayUrl: where, pacer: new Pacer({ clock, onRtt: (fn) => tunnel.onRtt(fn) }) });
  queue.start();
  process.on('message', async (m: { add?: string; wait?: boolean }) => {
    if (m.add) {
      const at = Date.now();
      for (const [i, { data: _, ...part }] of parts.entries()) queue.add({ ...part, clipId: m.add, path: paths[i]! });
      process.send!({ at });
    }
    if (m.wait) {
      await until(() => queue.stats().files === 0);
      process.send!({});
    }
  });
}

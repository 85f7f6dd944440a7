import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, it } from 'vitest';
import type { MadeClipShare } from '../../protocol/wire/clips.ts';
import { uuidv7 } from '../../protocol/wire/ids.ts';
import { fragmentKey } from './object-store.ts';
import { asUser, clipReport, ids, SERIAL, startClipRelay } from './testing/relay.ts';
import { sampleClip } from './testing/sample.ts';

it('a clip asks for the code that the owner set, as live view does; a link made by who had it does not (LIVE-04)', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'gatepost-locked-'));
  const relay = await startClipRelay({ dir });
  try {
    const clipId = uuidv7();
    for (const { data, ...f } of sampleClip({ seconds: 1 })) {
      await relay.store.put(fragmentKey(clipId, f.n), Readable.from([data]), f);
      await relay.clips.fragmentStored({ ...f, clipId, boxSerial: SERIAL }, ids.site);
    }
    await relay.report(clipReport(clipId, { state: 'ended', fragments: 1 }));
    // Whose link it is must be somebody who may play it.
    await relay.db.updateTable('users').set({ admin: 1 }).execute();
    const call = (method: string, what: string, body?: object, user = ids.user) =>
      fetch(`${relay.url}/api/v1/clips/${clipId}/${what}`, {
        method,
        headers: { ...asUser(user), 'content-type': 'application/json' },
        ...(body && { body: JSON.stringify(body) }),
      });
    const share = () => call('POST', 'shares', { hours: 1 });
    const unlock = (code: string, user = ids.user) => call('POST', 'unlock', { code }, user).then((r) => r.status);
    const { path } = (await (await share()).json()) as MadeClipShare;
    await relay.locks.set(ids.device, 'ABC123');
    for (const refused of [await call('GET', 'video'), await call('GET', 'poster'), await share()])
      expect([refused.status, (await refused.json()).code]).toEqual([403, 'verification-code-needed']);
    expect([await unlock('ABC124'), await unlock('ABC123', ids.otherUser)]).toEqual([422, 404]);
    expect((await fetch(`${relay.url}${path}/video`)).status).toBe(200);
    expect(await unlock('ABC123')).toBe(204);
    const open = [await call('GET', 'video'), await call('GET', 'poster'), await share()];
    expect(open.map(({ status }) => status)).toEqual([200, 200, 201]);
    // Another code is asked for anew.
    await relay.locks.set(ids.device, 'XYZ789');
    expect((await call('GET', 'video')).status).toBe(403);
  } finally {
    await relay.stop();
    rmSync(dir, { recursive: true });
  }
});

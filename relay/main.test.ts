import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { append } from './audit/operation-log.ts';
import { sample } from './audit/testing/sample.ts';
import { openDatabase } from './db/database.ts';

const dir = mkdtempSync(join(tmpdir(), 'gatepost-main-'));
const running = new Set<ChildProcess>();
afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Plain Node, as it is started in production. */
function node(args: string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, ['relay/main.ts', ...args], { env: { ...process.env, ...env } });
  running.add(child);
  child.on('exit', () => running.delete(child));
  const ended = Promise.all([once(child, 'exit'), text(child.stdout), text(child.stderr)]).then(
    ([[code], out, err]) => ({
      code: code as number | null,
      out,
      err,
    }),
  );
  return { child, ended };
}

async function listening(child: ChildProcess): Promise<number> {
  for await (const [chunk] of on(child)) {
    const line = String(chunk)
      .split('\n')
      .find((l) => l.includes('"msg":"listening"'));
    if (line) return JSON.parse(line).port;
  }
  throw new Error('ended without listening');
}
async function* on(child: ChildProcess): AsyncGenerator<[Buffer]> {
  while (child.exitCode === null) yield (await once(child.stdout!, 'data')) as [Buffer];
}

const bootstrapArgs = ['bootstrap', '--data', dir, '--company', 'Acme', '--name', 'Ann', '--email', 'Ann@acme.example'];
async function bootstrap(password: string, rest = ['--site', 'Shop', '--time-zone', 'Europe/Berlin']) {
  const { child, ended } = node([...bootstrapArgs, ...rest]);
  child.stdin?.end(password);
  return ended;
}

describe('relay/main.ts', () => {
  it('is set up, served, found in use, and stopped', async () => {
    const made = await bootstrap('a long password\n');
    expect(made.code).toBe(0);
    const again = await bootstrap('another password');
    expect(again.out).toBe(made.out);

    const first = node(['--port', '0', '--host', '127.0.0.1'], { GATEPOST_DATA: dir, GATEPOST_PORT: '1' });
    const port = await listening(first.child);
    const login = (password: string) =>
      fetch(`http://127.0.0.1:${port}/api/v1/auth/login`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ email: 'ann@acme.example', password }),
      });
    expect((await login('another password')).status).toBe(200);
    expect((await login('a long password')).status).toBe(401);

    const second = await node(['--port', String(port), '--host', '127.0.0.1', '--data', join(dir, 'b')]).ended;
    expect(second.code).toBe(1);
    expect(second.out).toContain(`port ${port} is in use`);

    first.child.kill('SIGTERM');
    expect(await first.ended).toMatchObject({ code: 0, out: expect.stringContaining('"msg":"stopping"') });
  });

  it('tells whether somebody changed the operation log', async () => {
    await bootstrap('a long password');
    const db = await openDatabase({ path: join(dir, 'relay.db') });
    const { id: companyId } = await db.selectFrom('companies').select('id').executeTakeFirstOrThrow();
    await db.transaction().execute((trx) => append(trx, sample(companyId), [companyId]));
    const whole = await node(['verify-log', '--data', dir]).ended;
    expect(whole).toMatchObject({ code: 0, out: expect.stringContaining('"broken":null') });
    await db.updateTable('audit_people').set({ name: 'Somebody else' }).execute();
    await db.destroy();
    const changed = await node(['verify-log', '--data', dir]).ended;
    expect(changed).toMatchObject({ code: 1, out: expect.stringContaining('the operator is another') });
  });

  it('says in a line what is wrong with what it was given', async () => {
    expect(await bootstrap('short')).toMatchObject({ code: 1, err: expect.stringContaining('8 to 128 characters') });
    const zone = await bootstrap('a long password', ['--site', 'Shop', '--time-zone', 'Mars/Base']);
    expect(zone).toMatchObject({ code: 1, err: expect.stringContaining('Mars/Base') });
    expect(await node(['--port', 'x']).ended).toMatchObject({ code: 1, err: expect.stringContaining('--port x') });
    const range = await node(['--port', '0', '--data', join(dir, 'c'), '--allow-internal', 'office']).ended;
    expect(range).toMatchObject({ code: 1, out: expect.stringContaining('office is no address range') });
    expect((await node(['--help']).ended).out).toContain('GATEPOST_ALLOW_INTERNAL');
  });
});

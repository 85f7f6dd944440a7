import { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { TestBox } from '../testing/box.ts';
import { type Company, TestRelay } from '../testing/relay.ts';
import { addOperatorCommands } from './commands.ts';

const relay = new TestRelay();
let acme: Company;

beforeAll(async () => {
  await relay.start();
  acme = await relay.company('Acme');
});
afterAll(() => relay.stop());

/** Runs one command line; returns the lines of JSON that it printed. */
// biome-ignore lint/suspicious/noExplicitAny: tests look at what came, whatever it is
async function run(...args: string[]): Promise<any[]> {
  const printed: unknown[] = [];
  const log = vi.spyOn(console, 'log').mockImplementation((line: string) => printed.push(JSON.parse(line)));
  const program = new Command().exitOverride();
  addOperatorCommands(program, {
    clock: relay.clock,
    where: (command) => command,
    withDb: (_, fn) => relay.withDb(fn),
    password: async () => 'the operator’s password',
    fail: (message) => {
      throw new Error(message);
    },
  });
  try {
    await program.parseAsync(args, { from: 'user' });
  } finally {
    log.mockRestore();
  }
  return printed;
}

describe('on the command line', () => {
  it('makes an operator, who signs in, and sets the password again', async () => {
    await expect(run('operator', '--email', 'nobody')).rejects.toThrow('no e-mail address');
    await expect(run('operator', '--email', acme.email)).rejects.toThrow('a user of another company');
    const [first] = await run('operator', '--email', 'Op@relay.example');
    expect(await run('operator', '--email', 'op@relay.example', '--name', 'Ann')).toEqual([first]);
    const body = { email: 'op@relay.example', password: 'the operator’s password' };
    expect((await relay.call('POST', '/api/v1/auth/login', body)).body.me).toMatchObject({
      name: 'Ann',
      admin: true,
      company: { type: 'operator' },
    });
  });

  it('approves and rejects what companies ask for, and they are told', async () => {
    const { asked } = (await acme.api('GET', '/company/authentication')).body;
    const fields = Object.fromEntries(asked.map(({ field }: { field: string }) => [field, 'HRB 1234']));
    await acme.api('POST', '/company/authentication', { fields });
    expect(await run('companies', '--waiting')).toMatchObject([{ name: 'Acme', email: acme.email }]);
    expect(await run('reject', acme.companyId, '--reason', 'not readable')).toMatchObject([{ reason: 'not readable' }]);
    await acme.api('POST', '/company/authentication', { fields });
    expect(await run('approve', acme.companyId)).toMatchObject([{ authentication: 'approved' }]);
    await expect(run('approve', acme.companyId)).rejects.toThrow('(conflict)');
    const notices = (await acme.api('GET', '/notifications')).body.items.map((notice: { code: string }) => notice.code);
    expect(notices).toEqual(['company-approved', 'company-rejected']);
  });

  it('suspends a company and lets it go on', async () => {
    expect((await run('suspend', acme.companyId))[0].suspendedAt).not.toBeNull();
    expect((await acme.api('GET', '/sites')).status).toBe(401);
    expect((await run('resume', acme.companyId))[0].suspendedAt).toBeNull();
  });

  it('issues keys that a company redeems', async () => {
    await expect(run('issue-key', '--slots', '0')).rejects.toThrow('--slots');
    const keys = await run('issue-key', '--slots', '3', '--count', '2');
    const own = await relay.company('Own');
    const text = keys.map(({ key }) => key).join(',');
    expect((await own.api('POST', '/company/service-keys/redeem', { keys: text })).body.slots).toBe(6);
  });

  it('lists boxes and revokes one', async () => {
    const own = await relay.company('Boxed');
    const { serial } = await new TestBox(relay).claimedBy(own);
    expect(await run('boxes', '--search', 'boxed hq')).toMatchObject([{ serial, state: 'claimed' }]);
    expect(await run('revoke', serial)).toMatchObject([{ serial, state: 'revoked' }]);
    expect(await run('boxes', '--state', 'revoked')).toHaveLength(1);
    await expect(run('revoke', 'AAAAAAAA9')).rejects.toThrow('(not-found)');
  });
});

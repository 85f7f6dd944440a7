import { setTimeout as sleep } from 'node:timers/promises';

export interface DemoLogin {
  email: string;
  password: string;
}
/** Who else uses the demo, beside the installer and the operator. */
export interface DemoPeople {
  customer: DemoLogin;
  employee: DemoLogin;
  arc: DemoLogin;
  partner: DemoLogin;
}
type Json = Record<string, unknown>;

/** Registers them as people do: with the links that arrive in their mailboxes. Who is there already is left alone. */
export async function registerDemoPeople(o: {
  portal: string;
  mailbox: string;
  installer: DemoLogin;
  people: DemoPeople;
}): Promise<void> {
  const call = async (method: string, path: string, body?: unknown, token?: string) => {
    const headers: Record<string, string> = { 'content-type': 'application/json' };
    if (token) headers.authorization = `Bearer ${token}`;
    const init = { method, headers, body: body === undefined ? undefined : JSON.stringify(body) };
    const response = await fetch(`${o.portal}/api/v1${path}`, init);
    const text = await response.text();
    return { status: response.status, body: (text ? JSON.parse(text) : {}) as Json };
  };
  const must = async (...request: Parameters<typeof call>) => {
    const { status, body } = await call(...request);
    if (status >= 300)
      throw new Error(`${request[0]} ${request[1]}: ${status} ${body.code ?? ''} ${body.detail ?? ''}`);
    return body;
  };
  const knows = async (who: DemoLogin) => (await call('POST', '/auth/login', who)).status === 200;
  /** The secret of the newest link that was sent there. */
  const tokenFor = async (email: string): Promise<string> => {
    for (let i = 0; i < 100; i++) {
      const { items } = (await (await fetch(`${o.mailbox}/messages?to=${encodeURIComponent(email)}`)).json()) as {
        items: { links: string[] }[];
      };
      const token = /[=#/]([\w-]{40,})$/.exec(items.at(-1)?.links[0] ?? '')?.[1];
      if (token) return token;
      await sleep(100);
    }
    throw new Error(`no link arrived for ${email}`);
  };

  const register = async (who: DemoLogin, about: Json) => {
    if (await knows(who)) return;
    await must('POST', '/auth/register', { email: who.email, locale: 'en', ...about });
    await must('POST', '/auth/register/link', { token: await tokenFor(who.email), password: who.password });
  };
  const { customer, employee, arc, partner } = o.people;
  await register(customer, { kind: 'customer', country: 'DE', name: 'Carla Corner' });
  const company = { kind: 'company', country: 'DE' };
  await register(arc, { ...company, type: 'arc', companyName: 'Night Watch', name: 'Nils Night' });
  await register(partner, { ...company, type: 'installer', companyName: 'Helping Hands', name: 'Hanna Hand' });

  if (await knows(employee)) return;
  const { token } = (await must('POST', '/auth/login', o.installer)) as { token: string };
  const role = await must(
    'POST',
    '/roles',
    { name: 'Technician', permissions: ['manage-assigned-sites', 'manage-devices', 'configure-devices', 'live-view'] },
    token,
  );
  await must('POST', '/employee-invitations', { email: employee.email, name: 'Emil Helper', roles: [role.id] }, token);
  const accept = { token: await tokenFor(employee.email), password: employee.password, name: 'Emil Helper' };
  await must('POST', '/auth/invitation/accept', accept);
}

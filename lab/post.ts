// Mail server, telephone and push service of everybody, on loopback. Prints 'ready {json}'.
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { Command, InvalidArgumentError, Option } from 'commander';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { Mailbox } from './mail/mailbox.ts';
import { pushService } from './push/push-service.ts';

const port = (text: string) => {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) throw new InvalidArgumentError('0 to 65535');
  return Number(text);
};
const { smtpPort, port: pagePort } = new Command('post')
  .description('The lab’s mail server with a mailbox to look into, its SMS gateway and its push service, on 127.0.0.1.')
  .addOption(new Option('--smtp-port <port>', 'SMTP (0: any free)').default(0).argParser(port))
  .addOption(new Option('--port <port>', 'the mailbox and the others (0: any free)').default(0).argParser(port))
  .parse()
  .opts<{ smtpPort: number; port: number }>();

const mailbox = new Mailbox();
const app = new Hono();
app.use(async (c, next) => {
  // No web page elsewhere is to reach it through a visitor's browser.
  const host = new URL(c.req.url).hostname;
  if (host !== 'localhost' && !host.startsWith('127.')) return c.text('loopback names only', 403);
  return next();
});
app.use(bodyLimit({ maxSize: 64 * 1024 }));
app.get('/healthz', (c) => c.text('ok'));
app.route('/push', pushService());
app.route('/', mailbox.routes());
app.onError((error, c) => c.json({ error: error.message }, 400));

const server = createAdaptorServer({ fetch: app.fetch, hostname: '127.0.0.1' }) as Server;
const stop = async (code: number) => {
  server.close();
  server.closeAllConnections();
  await mailbox.stop();
  process.exit(code);
};
process.on('SIGINT', () => stop(0));
process.on('SIGTERM', () => stop(0));

try {
  const smtp = await mailbox.start(smtpPort);
  server.listen(pagePort, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const ready = { smtp: `smtp://127.0.0.1:${smtp}`, mailbox: url, sms: `${url}/sms`, push: `${url}/push` };
  process.stdout.write(`ready ${JSON.stringify(ready)}\n`);
} catch (error) {
  process.stderr.write(`post: ${(error as Error).message}\n`);
  await stop(1);
}

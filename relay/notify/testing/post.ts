import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));

export interface Post {
  smtp: string;
  mailbox: string;
  sms: string;
  push: string;
}

/** The lab's mail server, SMS gateway and push service, a process of their own. */
export async function startPost(): Promise<Post & { stop: () => Promise<void> }> {
  const child = spawn(process.execPath, ['lab/post.ts'], { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const ready = await new Promise<Post>((resolve, reject) => {
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      const found = /^ready (.*)\n/m.exec(said);
      if (found) resolve(JSON.parse(found[1]!));
    });
    child.once('exit', () => reject(new Error('lab/post.ts does not start')));
  });
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
  };
  return { ...ready, stop };
}

/** JSON of an address. */
// biome-ignore lint/suspicious/noExplicitAny: tests look at what came, whatever it is
export async function ask(url: string, method = 'GET', body?: unknown): Promise<any> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(url, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  return response.json();
}

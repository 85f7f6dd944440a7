import { createHash } from 'node:crypto';
import { WebSocketServer } from 'ws';
import type { MakePart } from '../../devices/device.ts';
import { digestOf } from '../../devices/logins.ts';
import type { Asked } from '../server.ts';

/**
 * The device's own web page, small: absolute links to itself, redirects, a cookie, digest login, an upload of any size and a
 * WebSocket that says everything again. What a reverse proxy breaks first.
 */
export const page: MakePart = (device) => {
  const { profile: p } = device;
  const digest = digestOf(p, device.logins, (user) => device.passwordOf(user));
  const sockets = new WebSocketServer({ noServer: true });
  let hits = 0;
  const uploads: { bytes: number; sha256: string }[] = [];
  const here = () => device.origin;

  const login = () => `<!doctype html>
<html><head><title>${p.model}</title>
<link rel="stylesheet" href="${here()}/doc/style.css"><script src="/doc/script.js"></script></head>
<body><h1>${p.model}</h1>
<a id="absolute" href="${here()}/doc/page/config.asp">Configuration</a>
<a id="relative" href="config.asp">Configuration</a>
<a id="redirect" href="/doc/page/old.asp">Old page</a>
<img alt="" src="${here().replace(/^https?:/, '')}/doc/dot.gif">
<form method="post" enctype="multipart/form-data" action="${here()}/doc/page/upload"><input type="file" name="f"></form>
<pre id="echo"></pre>
</body></html>
`;
  const script = () => `addEventListener('load', () => {
  const socket = new WebSocket((location.protocol === 'https:' ? 'wss://' : 'ws://') + location.host + '/doc/page/echo');
  socket.onopen = () => socket.send('hello from the page');
  socket.onmessage = (e) => { document.querySelector('#echo').textContent = e.data; };
});
`;
  const config = (asked: Asked) => `<!doctype html>
<html><head><title>Configuration</title></head><body><h1>Configuration of ${p.name}</h1>
<p id="cookie">${/language=(\w+)/.exec(asked.raw.headers.cookie ?? '')?.[1] ?? 'none'}</p>
<p id="host">${asked.raw.headers.host ?? ''}</p></body></html>
`;

  return {
    state: () => ({ page: { hits, uploads, sockets: sockets.clients.size } }),
    stop: () => {
      for (const client of sockets.clients) client.terminate();
      sockets.close();
    },
    upgrade: (request, socket, head) => {
      if (request.url !== '/doc/page/echo') return false;
      sockets.handleUpgrade(request, socket, head, (client) => {
        client.on('message', (data, isBinary) => client.send(data, { binary: isBinary }));
        client.on('error', () => client.terminate());
      });
      return true;
    },
    open: async (asked, response) => {
      const { path, method, raw } = asked;
      if (path !== '/' && !path.startsWith('/doc/')) return false;
      hits++;
      const send = (status: number, type: string, body: string | Buffer) =>
        response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) }).end(body);
      const to = (location: string) => response.writeHead(302, { Location: location, 'Content-Length': 0 }).end();
      if (path === '/doc/page/upload') {
        if (!loggedIn()) return true;
        const hash = createHash('sha256');
        let bytes = 0;
        for await (const part of raw) {
          hash.update(part as Buffer);
          bytes += (part as Buffer).length;
        }
        uploads.push({ bytes, sha256: hash.digest('hex') });
        send(200, 'application/json', JSON.stringify(uploads.at(-1)));
        return true;
      }
      raw.resume();
      if (path === '/') to('/doc/page/login.asp');
      else if (path === '/doc/page/old.asp') to(`${here()}/doc/page/login.asp?_=1`);
      else if (path === '/doc/page/login.asp') {
        response.setHeader('Set-Cookie', `language=en; path=/; domain=${p.address}`);
        send(200, 'text/html', login());
      } else if (path === '/doc/script.js') send(200, 'text/javascript', script());
      else if (path === '/doc/style.css') send(200, 'text/css', 'body { font-family: sans-serif }\n');
      else if (path === '/doc/dot.gif')
        send(200, 'image/gif', Buffer.from('R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==', 'base64'));
      else if (path === '/doc/page/config.asp') {
        if (loggedIn()) send(200, 'text/html', config(asked));
      } else send(404, 'text/html', '<html><body>404 Not Found</body></html>');
      return true;

      function loggedIn(): boolean {
        const result = digest.check(method, asked.url, raw.headers.authorization);
        if (result === 'ok') return true;
        raw.resume();
        response.setHeader('WWW-Authenticate', digest.challenges(result === 'stale'));
        send(401, 'text/html', '<html><body>401 Unauthorized</body></html>');
        return false;
      }
    },
  };
};

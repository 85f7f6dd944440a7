import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readSessionChallenge, type SessionChallenge, sessionPassword } from '../session-login.ts';

type Answer = { status?: number; json?: unknown; xml?: string };
type Route = (asked: { method: string; url: string; body: string; json: unknown }) => Answer;

const XMLNS = 'xmlns="http://www.hikvision.com/ver20/XMLSchema"';

/** A panel that takes session logins only, with routes by `METHOD path` (without query). */
export class ScriptedPanel {
  password = 'Correct-1';
  tries = 5;
  /** `body`: the session's id comes in the body, without a cookie. */
  cookie: 'named' | 'body' = 'named';
  salt2 = 'A1B2';
  irreversible = true;
  iterations = 100;
  /** How a wrong password is refused, where not as most do. */
  refusal: { status: number; word: string } | null = null;
  sessionsFull = false;
  /** Ends sessions as fast as they are opened. */
  forgetful = false;
  readonly routes = new Map<string, Route>();
  readonly seen: { method: string; url: string; body: string }[] = [];
  readonly streams = new Set<ServerResponse>();
  readonly sessions = new Set<string>();
  logins = 0;
  #opened = 0;
  #server: Server | null = null;

  async start(): Promise<number> {
    this.#server = createServer((req, res) => void this.#serve(req, res));
    await new Promise<void>((resolve) => this.#server!.listen(0, '127.0.0.1', resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    server?.closeAllConnections();
    await new Promise((resolve) => (server ? server.close(resolve) : resolve(null)));
  }

  count(method: string, path: string): number {
    return this.seen.filter((s) => s.method === method && s.url.startsWith(path)).length;
  }

  async #serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of req as AsyncIterable<Buffer>) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString();
    const path = req.url!.split('?')[0]!;
    this.seen.push({ method: req.method!, url: req.url!, body });
    if (path === '/ISAPI/Security/sessionLogin/capabilities') return void res.writeHead(200).end(this.#challenge());
    if (path === '/ISAPI/Security/sessionLogin') return this.#login(res, body);
    const id =
      /WebSession_5f=([\w]+)/.exec(req.headers.cookie ?? '')?.[1] ??
      /WebSession=(\w+)/.exec(req.headers.cookie ?? '')?.[1];
    if (!id || !this.sessions.has(id)) return void res.writeHead(401).end(this.#refusal());
    if (path === '/ISAPI/Security/sessionHeartbeat') return void res.writeHead(200).end();
    if (path === '/ISAPI/Security/sessionLogout') {
      this.sessions.delete(id);
      return void res.writeHead(200).end();
    }
    if (path === '/ISAPI/Event/notification/alertStream') {
      res.writeHead(200, { 'Content-Type': 'multipart/mixed; boundary=boundary' });
      res.flushHeaders();
      this.streams.add(res);
      res.on('close', () => this.streams.delete(res));
      return;
    }
    const route = this.routes.get(`${req.method} ${path}`);
    const json = body.startsWith('{') ? JSON.parse(body) : null;
    const answer = route?.({ method: req.method!, url: req.url!, body, json }) ?? {
      status: 404,
      xml: `<ResponseStatus ${XMLNS}><statusCode>4</statusCode><subStatusCode>methodNotAllowed</subStatusCode></ResponseStatus>`,
    };
    res.writeHead(answer.status ?? 200, { 'Content-Type': answer.xml ? 'application/xml' : 'application/json' });
    res.end(answer.xml ?? JSON.stringify(answer.json ?? { statusCode: 1, statusString: 'OK', subStatusCode: 'ok' }));
  }

  #challenge(): string {
    const salts = this.irreversible ? `<salt>22CF</salt>${this.salt2 ? `<salt2>${this.salt2}</salt2>` : ''}` : '';
    return `<SessionLoginCap version="2.0" ${XMLNS}>\n<sessionID>116c191b1981</sessionID><challenge>f0a902b12718</challenge><iterations>${this.iterations}</iterations><isIrreversible>${this.irreversible}</isIrreversible><sessionIDVersion>2.1</sessionIDVersion>${salts}</SessionLoginCap>`;
  }

  #login(res: ServerResponse, body: string): void {
    this.logins++;
    const sent = /<password>(\w+)<\/password>/.exec(body)?.[1];
    const name = /<userName>(.*?)<\/userName>/.exec(body)?.[1] ?? '';
    const challenge = readSessionChallenge(Buffer.from(this.#challenge())) as SessionChallenge;
    const right = sessionPassword(challenge, name, this.password);
    if (sent !== right) {
      this.tries--;
      if (this.refusal) {
        const { status, word } = this.refusal;
        const said = `<statusCode>4</statusCode><subStatusCode>${word}</subStatusCode>`;
        return void res.writeHead(status).end(`<ResponseStatus ${XMLNS}>${said}</ResponseStatus>`);
      }
      return void res.writeHead(401).end(this.#refusal('SessionUserCheck'));
    }
    if (this.sessionsFull) {
      res
        .writeHead(403)
        .end(
          `<ResponseStatus ${XMLNS}><statusCode>4</statusCode><subStatusCode>maxSessionUserLink</subStatusCode></ResponseStatus>`,
        );
      return;
    }
    const id = `session${++this.#opened}`;
    if (!this.forgetful) this.sessions.add(id);
    const cookie = { 'Set-Cookie': `WebSession_5f=${id}; path=/; HttpOnly` };
    res.writeHead(200, this.cookie === 'named' ? cookie : {});
    res.end(
      `<SessionLogin version="2.0" ${XMLNS}><statusValue>200</statusValue><sessionID>${id}</sessionID></SessionLogin>`,
    );
  }

  #refusal(root = 'userCheck'): string {
    const locked = this.tries <= 0;
    return `<${root}><statusValue>401</statusValue><lockStatus>${locked ? 'lock' : 'unlock'}</lockStatus><unlockTime>${locked ? 1200 : 0}</unlockTime><retryLoginTime>${this.tries}</retryLoginTime></${root}>`;
  }
}

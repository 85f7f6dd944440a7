import { createHash, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecure, type ServerOptions } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';

/** How this device behaves; the defaults are those of a current camera. */
export interface Script {
  username: string;
  password: string;
  /** 'none': RFC 2069, as old devices do. */
  qop: 'auth' | 'none';
  algorithm: string;
  /** A nonce is good for so many requests. */
  nonceUses: number;
  /** How a dead nonce is turned down. */
  deadNonce: 'stale-true' | 'stale-false' | 'bare';
  /** Wrong logins until it locks itself; while locked even the right login fails. */
  tries: number;
  locked: boolean;
  activated: boolean;
  /** Other challenges sent in front of the real one. */
  extraChallenges: string[];
  /** What is answered without a login. */
  open: RegExp | null;
  serial: string;
  mac: string;
  model: string;
  deviceType: string;
  rtspPort: number;
}

export interface Seen {
  method: string;
  url: string;
  login: 'none' | 'good' | 'dead-nonce' | 'wrong';
}
type Route = (req: IncomingMessage, res: ServerResponse) => void;

const XMLNS = 'xmlns="http://www.hikvision.com/ver20/XMLSchema"';

/** A small device on a real socket, for tests: answers as captured devices do, oddities included, and counts logins. */
export class ScriptedDevice {
  readonly script: Script = {
    username: 'admin',
    password: 'Correct-1',
    qop: 'auth',
    algorithm: 'MD5',
    nonceUses: 1_000,
    deadNonce: 'stale-true',
    tries: 5,
    locked: false,
    activated: true,
    extraChallenges: [],
    open: null,
    serial: 'DS-2CD2386G2-IU20230412AAWRL11223344',
    mac: '44:19:b6:01:02:03',
    model: 'DS-2CD2386G2-IU',
    deviceType: 'IPCamera',
    rtspPort: 554,
  };
  readonly seen: Seen[] = [];
  readonly routes = new Map<string, Route>();
  readonly streams = new Set<ServerResponse>();
  connections = 0;
  onSecure: (socket: TLSSocket) => void = () => {};
  maxInFlight = 0;
  #inFlight = 0;
  #nonces = new Map<string, { uses: number; lastCount: number }>();
  #server: Server | null = null;
  readonly #sockets = new Set<Socket>();

  constructor(script: Partial<Script> = {}) {
    Object.assign(this.script, script);
    const xml = (path: string, body: (s: Script) => string, type = 'application/xml; charset="UTF-8"') =>
      this.routes.set(path, (_req, res) => res.writeHead(200, { 'Content-Type': type }).end(body(this.script)));
    xml(
      '/ISAPI/System/deviceInfo',
      (s) =>
        `<?xml version="1.0" encoding="UTF-8"?>\n<DeviceInfo version="2.0" ${XMLNS}><deviceName>Entrance</deviceName><model>${s.model}</model><serialNumber>${s.serial}</serialNumber><macAddress>${s.mac}</macAddress><firmwareVersion>V5.7.15</firmwareVersion><firmwareReleasedDate>build 240201</firmwareReleasedDate><deviceType>${s.deviceType}</deviceType></DeviceInfo>`,
    );
    xml(
      '/ISAPI/Streaming/channels',
      () =>
        `<StreamingChannelList version="2.0" ${XMLNS}><StreamingChannel version="2.0"><id>101</id><channelName>Door &amp; yard</channelName><enabled>true</enabled></StreamingChannel><StreamingChannel><id>102</id><channelName>Door</channelName><enabled>true</enabled></StreamingChannel></StreamingChannelList>`,
    );
    xml(
      '/ISAPI/Security/adminAccesses',
      (s) =>
        `<AdminAccessProtocolList ${XMLNS}><AdminAccessProtocol><id>1</id><enabled>true</enabled><protocol>HTTP</protocol><portNo>80</portNo></AdminAccessProtocol><AdminAccessProtocol><id>4</id><enabled>true</enabled><protocol>RTSP</protocol><portNo>${s.rtspPort}</portNo></AdminAccessProtocol></AdminAccessProtocolList>`,
      'text/html',
    );
    xml('/ISAPI/Security/userCheck', () => '<userCheck><statusValue>200</statusValue></userCheck>');
    this.routes.set('/ISAPI/Event/notification/alertStream', (_req, res) => {
      res.writeHead(200, { 'Content-Type': 'multipart/mixed; boundary=boundary', Connection: 'close' });
      res.flushHeaders();
      this.streams.add(res);
      res.on('close', () => this.streams.delete(res));
    });
  }

  /** `tls`: it takes HTTPS alone. */
  async start(port = 0, host = '127.0.0.1', tls?: ServerOptions): Promise<number> {
    const serve = (req: IncomingMessage, res: ServerResponse) => this.#serve(req, res);
    this.#server = tls ? createSecure(tls, serve) : createServer(serve);
    this.#server.on('secureConnection', (socket) => this.onSecure(socket));
    this.#server.on('connection', (socket) => {
      this.connections++;
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    await new Promise<void>((resolve) => this.#server!.listen(port, host, resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    this.cut();
    await new Promise((resolve) => (this.#server ? this.#server.close(resolve) : resolve(null)));
    this.#server = null;
  }

  /** Resets every connection, as a power cut does when somebody answers for the device afterwards. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** Writes to every open alertStream. */
  say(bytes: string | Buffer): void {
    for (const res of this.streams) res.write(bytes);
  }

  /** Requests that carried credentials which were not the right ones, dead nonces aside. */
  get wrongLogins(): number {
    return this.seen.filter((s) => s.login === 'wrong').length;
  }

  /** Makes every nonce useless, as a configuration write does. */
  forgetNonces(): void {
    this.#nonces.clear();
  }

  #serve(req: IncomingMessage, res: ServerResponse): void {
    this.maxInFlight = Math.max(this.maxInFlight, ++this.#inFlight);
    res.on('close', () => this.#inFlight--);
    req.resume();
    if (!this.script.activated) {
      this.seen.push({ method: req.method!, url: req.url!, login: 'none' });
      return void this.status(res, 403, 4, 'notActivated');
    }
    const open = this.script.open?.test(req.url!) && !req.headers.authorization;
    const login = this.#check(req);
    this.seen.push({ method: req.method!, url: req.url!, login });
    if (login === 'wrong' && --this.script.tries <= 0) this.script.locked = true;
    const route = this.routes.get(req.url!) ?? this.routes.get(req.url!.split('?')[0]!);
    if (!open && (login !== 'good' || this.script.locked)) this.#challenge(res, login);
    else if (route) route(req, res);
    else this.status(res, 404, 4, 'methodNotAllowed');
  }

  /** An answer with a ResponseStatus. */
  status(res: ServerResponse, http: number, code: number, sub: string): void {
    res.writeHead(http, { 'Content-Type': 'application/xml' });
    res.end(
      `<ResponseStatus version="2.0" ${XMLNS}><statusCode>${code}</statusCode><statusString>x</statusString><subStatusCode>${sub}</subStatusCode></ResponseStatus>`,
    );
  }

  #check(req: IncomingMessage): Seen['login'] {
    const header = req.headers.authorization;
    if (!header) return 'none';
    const field = (name: string) => new RegExp(`[ ,]${name}="?([^",]*)`).exec(header)?.[1] ?? '';
    const s = this.script;
    const hash = (t: string) =>
      createHash(s.algorithm === 'MD5' ? 'md5' : 'sha256')
        .update(t)
        .digest('hex');
    const ha1 = hash(`${s.username}:${this.#realm}:${s.password}`);
    const ha2 = hash(`${req.method}:${req.url}`);
    const middle = s.qop === 'auth' ? `${field('nonce')}:${field('nc')}:${field('cnonce')}:auth` : field('nonce');
    if (field('uri') !== req.url || field('response') !== hash(`${ha1}:${middle}:${ha2}`)) return 'wrong';
    const nonce = this.#nonces.get(field('nonce'));
    const count = Number.parseInt(field('nc') || '0', 16);
    if (!nonce || nonce.uses-- <= 0 || (s.qop === 'auth' && count <= nonce.lastCount)) return 'dead-nonce';
    nonce.lastCount = count;
    return 'good';
  }

  readonly #realm = 'IP Camera(C2183)';

  #challenge(res: ServerResponse, login: Seen['login']): void {
    const s = this.script;
    const nonce = randomBytes(16).toString('base64');
    const headers: [string, string][] = [['Content-Type', 'text/html']];
    const dead = login === 'dead-nonce';
    if (!dead || s.deadNonce !== 'bare') {
      this.#nonces.set(nonce, { uses: s.nonceUses, lastCount: 0 });
      const parts = [`realm="${this.#realm}"`, `nonce="${nonce}"`];
      if (s.qop === 'auth') parts.unshift('qop="auth"');
      if (s.algorithm !== 'MD5') parts.push(`algorithm="${s.algorithm}"`);
      parts.push(`stale="${dead && s.deadNonce === 'stale-true' ? 'TRUE' : 'FALSE'}"`);
      for (const extra of s.extraChallenges) headers.push(['WWW-Authenticate', extra]);
      headers.push(['WWW-Authenticate', `Digest ${parts.join(', ')}`]);
    }
    res.writeHead(401, headers.flat());
    res.end(
      `<?xml version="1.0" encoding="UTF-8" ?>\r\n<userCheck>\r\n<statusValue>401</statusValue>\r\n<statusString>Unauthorized</statusString>\r\n<isIllegalLogin>true</isIllegalLogin>\r\n<lockStatus>${s.locked ? 'lock' : 'unlock'}</lockStatus>\r\n<unlockTime>${s.locked ? 1750 : 0}</unlockTime>\r\n<retryLoginTime>${s.tries}</retryLoginTime>\r\n</userCheck>\r\n`,
    );
  }
}

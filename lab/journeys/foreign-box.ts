import { createHash, generateKeyPairSync, randomInt, randomUUID, sign } from 'node:crypto';
import mqtt, { type MqttClient } from 'mqtt';
import { WebSocket } from 'ws';
import { enrolInput, formatBoxAuth, signingInput } from '../../protocol/wire/box-auth.ts';
import { SERIAL_ALPHABET } from '../../protocol/wire/ids.ts';
import type { Problem } from '../../protocol/wire/problem.ts';

/** Where boxes come in. */
export const BOX_PATHS = ['/mqtt', '/tunnel', '/arc-path', '/box/v1/uploads'] as const;
export type BoxPath = (typeof BOX_PATHS)[number];
type Refusal = Pick<Problem, 'status' | 'code'> & { type: string };

const text = (length: number) =>
  Array.from({ length }, () => SERIAL_ALPHABET[randomInt(SERIAL_ALPHABET.length)]).join('');

/** Somebody who knows the protocol, enrols a key of his own, and then does what no box does. */
export class ForeignBox {
  readonly serial = text(9);
  readonly code = text(10);
  readonly #relay: string;
  readonly #key = generateKeyPairSync('ed25519');
  readonly #seal = generateKeyPairSync('x25519');
  readonly #boot = randomUUID();

  constructor(relay: string) {
    this.#relay = relay;
  }

  async enrol(): Promise<void> {
    const body = {
      serial: this.serial,
      publicKey: this.#key.publicKey.export({ format: 'jwk' }).x as string,
      sealKey: this.#seal.publicKey.export({ format: 'jwk' }).x as string,
      codeHash: createHash('sha256').update(`${this.serial}:${this.code}`).digest('hex'),
      version: '0.1.0',
    };
    const signature = this.#sign(enrolInput(body));
    const response = await this.#post('/box/v1/enrol', { ...body, signature });
    if (!response.ok) throw new Error(`enrol: ${response.status}`);
  }

  /** A proof made with its own key; in the name of `serial`. */
  async proof(purpose: BoxPath, serial = this.serial): Promise<string> {
    const { nonce } = (await (await this.#post('/box/v1/nonce', {})).json()) as { nonce: string };
    const claim = { serial, boot: this.#boot, epoch: 1, nonce };
    return formatBoxAuth({ ...claim, signature: this.#sign(signingInput(claim, purpose)) });
  }

  /** Asks to be let in with a proof; `in` when it is. */
  async enter(path: BoxPath, authorization: string): Promise<Refusal | 'in'> {
    if (path === '/box/v1/uploads') {
      const response = await this.#post(path, { fragments: [] }, { authorization });
      return { ...((await response.json()) as Problem), type: String(response.headers.get('content-type')) };
    }
    const url = this.#relay.replace('http', 'ws') + path;
    const protocol = { '/mqtt': 'mqtt', '/tunnel': 'gatepost-tunnel.1', '/arc-path': [] as string[] }[path];
    const ws = new WebSocket(url, protocol, { headers: { authorization } });
    ws.on('error', () => {});
    return new Promise((resolve, reject) => {
      ws.once('open', () => {
        ws.terminate();
        resolve('in');
      });
      ws.once('unexpected-response', (_, response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.once('error', reject);
        response.once('end', () => {
          ws.terminate();
          const problem = JSON.parse(Buffer.concat(chunks).toString()) as Problem;
          resolve({ ...problem, type: String(response.headers['content-type']) });
        });
      });
    });
  }

  async connect(): Promise<MqttClient> {
    const headers = { authorization: await this.proof('/mqtt') };
    const client = await mqtt.connectAsync(`${this.#relay.replace('http', 'ws')}/mqtt`, {
      protocolVersion: 4,
      clientId: this.serial,
      reconnectPeriod: 0,
      wsOptions: { headers },
    });
    client.on('error', () => {});
    return client;
  }

  #sign(input: string): string {
    return sign(null, Buffer.from(input), this.#key.privateKey).toString('base64url');
  }

  #post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(this.#relay + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
  }
}

import { type ChildProcess, spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { type AddressInfo, createServer as createPort } from 'node:net';
import { networkInterfaces } from 'node:os';

/** coturn as operators run it, with the shared secret and the credentials that are made of it. */
export class TurnServer {
  #process: ChildProcess | null = null;

  async start(): Promise<RTCIceServer> {
    // Browsers and boxes have no candidates on loopback.
    const address = Object.values(networkInterfaces())
      .flatMap((all) => all ?? [])
      .find(({ family, internal }) => family === 'IPv4' && !internal)!.address;
    const port = await new Promise<number>((resolve) => {
      const probe = createPort().listen(0, address, () => {
        const { port } = probe.address() as AddressInfo;
        probe.close(() => resolve(port));
      });
    });
    const secret = 'shared with the TURN server';
    const args = ['-n', '--no-cli', '--no-tls', '--no-dtls', '--realm=gatepost', '--log-file=stdout', '--pidfile='];
    const at = [`--listening-ip=${address}`, `--relay-ip=${address}`, `--listening-port=${port}`];
    const auth = ['--use-auth-secret', `--static-auth-secret=${secret}`];
    this.#process = spawn('/usr/bin/turnserver', [...args, ...at, ...auth], { cwd: '/tmp', stdio: 'ignore' });
    for (let i = 0; i < 100 && !(await answersStun(address, port)); i++);
    const username = `${Math.floor(Date.now() / 1000) + 600}:viewer`;
    const credential = createHmac('sha1', secret).update(username).digest('base64');
    return { urls: [`turn:${address}:${port}?transport=udp`], username, credential };
  }

  stop(): void {
    this.#process?.kill('SIGKILL');
  }
}

/** Whether a STUN binding request (RFC 8489 §5) is answered. */
export function answersStun(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    const done = (is: boolean) => {
      clearTimeout(timer);
      socket.close();
      resolve(is);
    };
    const timer = setTimeout(() => done(false), 100);
    socket.once('message', () => done(true));
    socket.once('error', () => done(false));
    socket.send(Buffer.from('000100002112a442000000000000000000000001', 'hex'), port, address);
  });
}

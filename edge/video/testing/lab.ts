import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export interface LabCamera {
  name: string;
  url: string;
  username: string;
  password: string;
}

/** The lab as a process of its own, with real video. `octet`: its addresses are 127.`octet`.x.…. */
export async function startLab(octet: number) {
  const dir = mkdtempSync(join(tmpdir(), 'gatepost-video-lab-'));
  const ports = ['--port', '0', '--http-port', '0', '--rtsp-port', '0', '--sadp-port', '0'];
  const base = `127.${octet}.${process.pid % 256}.`;
  const child = spawn(process.execPath, ['lab/main.ts', '--data', dir, '--base', base, ...ports], {
    cwd: join(import.meta.dirname, '../../..'),
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, GATEPOST_LOG_LEVEL: 'silent' },
  });
  const lines = createInterface({ input: child.stdout });
  const ready = await new Promise<string>((resolve, reject) => {
    lines.on('line', (line) => line.startsWith('ready ') && resolve(line.slice(6)));
    child.once('exit', () => reject(new Error('the lab did not start')));
  });
  const { control, devices } = JSON.parse(ready) as {
    control: string;
    devices: { name: string; address: string; rtspPort: number; username: string; password: string }[];
  };
  return {
    cameras: devices.map(
      ({ name, address, rtspPort, username, password }): LabCamera => ({
        name,
        username,
        password,
        url: `rtsp://${address}:${rtspPort}/Streaming/Channels/101`,
      }),
    ),
    /** What the camera itself counted. */
    async status(name: string) {
      const answer = await fetch(`${control}/devices/${name}`);
      return (await answer.json()) as {
        failedLogins: number;
        locked: boolean;
        rtspSessions: number;
        rtspSessionsTotal: number;
      };
    },
    async videoMode(name: string, mode: 'normal' | 'stall' | 'drop'): Promise<void> {
      const headers = { 'content-type': 'application/json' };
      await fetch(`${control}/devices/${name}/video`, { method: 'POST', headers, body: JSON.stringify({ mode }) });
    },
    /** How its main stream is coded from now on. */
    async code(name: string, coding: { codec?: string; sound?: string }): Promise<void> {
      const headers = { 'content-type': 'application/json' };
      await fetch(`${control}/devices/${name}/coding`, { method: 'POST', headers, body: JSON.stringify(coding) });
    },
    async stop(): Promise<void> {
      child.kill('SIGTERM');
      if (child.exitCode === null) await once(child, 'exit');
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

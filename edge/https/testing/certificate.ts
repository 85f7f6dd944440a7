import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A certificate that signs itself; `bits` and `digest` as old devices have them. */
export function certificate({ bits = 2048, digest = 'sha256' } = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'gatepost-cert-'));
  const [keyFile, certFile] = [join(dir, 'key'), join(dir, 'cert')];
  const wanted = ['-newkey', `rsa:${bits}`, `-${digest}`, '-nodes', '-keyout', keyFile, '-out', certFile];
  execFileSync('openssl', ['req', '-x509', ...wanted, '-subj', '/CN=DVR', '-days', '2'], { stdio: 'ignore' });
  const [key, cert] = [readFileSync(keyFile, 'utf8'), readFileSync(certFile, 'utf8')];
  rmSync(dir, { recursive: true });
  return { key, cert, fingerprint: new X509Certificate(cert).fingerprint256 };
}

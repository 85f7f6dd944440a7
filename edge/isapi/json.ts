import { document, failure, judge, type Result } from './answer.ts';
import type { IsapiDevice } from './isapi-device.ts';
import { text, type XmlNode } from './xml.ts';

/* The JSON trees of a device (SecurityCP, callStatus, AcsWorkStatus …), read as leniently as its XML: leaves are text. */

/** GET of a JSON document; `path` with `?format=json`. What the device lacks is asked once a connection. */
export async function readJson(device: IsapiDevice, path: string, signal?: AbortSignal): Promise<Result<XmlNode>> {
  const result = await device.ask(path, { signal });
  return result.ok ? tree(result.value.body, path) : result;
}

/** A request with a JSON body (`null`: an empty one) and its judged answer. */
export async function sendJson(
  device: IsapiDevice,
  method: 'PUT' | 'POST',
  path: string,
  body: unknown,
  signal?: AbortSignal,
): Promise<Result<XmlNode> & { body?: Buffer }> {
  const result = await device.client.request(method, path, {
    body: Buffer.from(body === null ? '{}' : JSON.stringify(body)),
    contentType: 'application/json; charset="UTF-8"',
    signal,
  });
  if (!result.ok) return result;
  const failed = judge(result.value);
  if (failed) return { ...failed, body: result.value.body };
  return result.value.body.length === 0 ? { ok: true, value: '' } : tree(result.value.body, path);
}

function tree(body: Buffer, path: string): Result<XmlNode> {
  const node = document(body, '');
  return node === null || typeof node === 'string'
    ? failure('device-error', `It answered something unreadable (${path.split('?')[0]}).`)
    : { ok: true, value: node };
}

/** A number, as devices write it (`"12"`, `12.1`); null: none. */
export function numberAt(node: XmlNode | undefined, ...path: [...string[], string]): number | null {
  const written = text(node, ...path);
  return /^-?\d{1,9}(\.\d+)?$/.test(written) ? Number(written) : null;
}

/** `true`, `"true"`, `yes`, `on`, 1 and their opposites; null: it does not say. */
export function boolAt(node: XmlNode | undefined, ...path: [...string[], string]): boolean | null {
  const written = text(node, ...path).toLowerCase();
  if (/^(true|yes|on|1)$/.test(written)) return true;
  return /^(false|no|off|0)$/.test(written) ? false : null;
}

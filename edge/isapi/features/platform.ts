import type { Feature } from '../../drivers/feature.ts';
import { failure, type Result } from '../answer.ts';
import { type Change, writeDocument } from '../edit-xml.ts';
import type { IsapiDevice } from '../isapi-device.ts';
import { clean, list, text, type XmlNode } from '../xml.ts';
import { bool, choice, readOnly, secret, words, yesNo } from './fields.ts';

const EZVIZ = '/System/Network/EZVIZ';
const CODE = /^[A-Za-z0-9]{6,12}$/;
const POLL_MS = 5_000;
const REGISTERS_WITHIN_MS = 60_000;

const changes = (node: XmlNode, enabled: boolean | undefined, code: string | undefined): Change[] => [
  ...(enabled === undefined ? [] : [{ path: ['enabled'], value: String(enabled) }]),
  ...(code === undefined
    ? []
    : list(node, 'verificationCode').length > 0
      ? [{ path: ['verificationCode'], value: code }]
      : [{ path: [], append: `<verificationCode>${code}</verificationCode>` }]),
];

/**
 * Switches the maker's P2P service on (INIT-18) and waits up to a minute until the device has registered itself. It needs
 * a verification code once (INIT-25); null: it has one. `registered` false: it has not yet.
 */
export async function enablePlatform(
  device: IsapiDevice,
  verificationCode: string | null,
  signal?: AbortSignal,
): Promise<Result<{ registered: boolean; rebootRequired: boolean }>> {
  if (verificationCode !== null && !CODE.test(verificationCode))
    return failure('invalid-request', 'The verification code has 6 to 12 letters and digits.');
  const edit = (node: XmlNode) => changes(node, true, verificationCode ?? undefined);
  const written = await writeDocument(device, EZVIZ, edit, signal);
  if (!written.ok) return written;
  const { rebootRequired } = written.value;
  const end = device.clock.mono() + REGISTERS_WITHIN_MS;
  for (;;) {
    const got = await device.get(EZVIZ, signal);
    if (!got.ok) return got;
    if (yesNo(text(got.value.node, 'enabled')) !== true)
      return failure('device-error', 'It took the setting and did not keep it: it may want a verification code first.');
    const registered = isOnline(got.value.node);
    if (registered || rebootRequired || signal?.aborted || device.clock.mono() >= end)
      return { ok: true, value: { registered, rebootRequired } };
    await device.clock.sleep(POLL_MS, signal);
  }
}

const isOnline = (node: XmlNode): boolean => /^(true|online|1)$/i.test(text(node, 'registerStatus'));

/** The maker's P2P service (isapi.md §6 EZVIZ). */
export const platform: Feature<IsapiDevice> = {
  async offer(device, signal) {
    return (await device.has(EZVIZ, signal)) ? { sections: [{ section: 'platform', channels: null }] } : {};
  },
  sections: {
    platform: {
      async read(device, _, signal) {
        const got = await device.get(EZVIZ, signal);
        if (!got.ok) return got;
        const { node } = got.value;
        const server = text(node, 'serverAddress', 'hostName') || text(node, 'serverAddress', 'ipAddress');
        const bound = text(node, 'bindStatus');
        return {
          ok: true,
          value: [
            bool('enabled', yesNo(text(node, 'enabled'))),
            bool('registered', isOnline(node), readOnly),
            words('serverAddress', clean(server, 128), 128, readOnly),
            // It reads back empty whether there is one or not.
            secret('verificationCode', null, 12),
            ...(bound === '' ? [] : [choice('bindStatus', clean(bound, 16), ['bind', 'unbind'], readOnly)]),
          ],
        };
      },
      async write(device, _, { enabled, verificationCode: code }, __, signal) {
        if (code !== undefined && !CODE.test(String(code)))
          return failure('invalid-request', 'verificationCode: 6 to 12 letters and digits.');
        const edit = (node: XmlNode) =>
          changes(
            node,
            enabled === undefined ? undefined : enabled === true,
            code === undefined ? undefined : String(code),
          );
        return writeDocument(device, EZVIZ, edit, signal);
      },
    },
  },
};

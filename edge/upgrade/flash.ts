import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { document, failure, type IsapiFailure, judge, type Result, responseStatus } from '../isapi/answer.ts';
import type { BodyStream } from '../isapi/client.ts';
import { reboot } from '../isapi/features/maintenance.ts';
import type { IsapiDevice } from '../isapi/isapi-device.ts';
import { text } from '../isapi/xml.ts';

/*
 * Firmware over ISAPI (isapi.md §14): POST (older: PUT) of the file to updateFirmware, which may answer only after
 * flashing; intercoms want a form instead. Then upgradeStatus until 100 %, then the device restarts, by itself or told to.
 */
const UPDATE = '/System/updateFirmware';
const SEND_MS = 40 * 60_000;
const POLL_MS = 2_500;
const INSTALL_MS = 30 * 60_000;

const NOT_THIS_WAY =
  /^(methodNotAllowed|notSupport|badXmlContent|badXmlFormat|badParameters|invalidOperation|badURLFormat)$/i;
const REASONS: Record<string, string> = {
  badVersion: 'It does not take this version.',
  badDevType: 'This firmware is for other models.',
  badLanguage: 'This firmware is for another region.',
  fileError: 'It calls the file no firmware.',
  upgradeError: 'It could not install it and goes on with what it had.',
  upgradeErrorAndReboot: 'It could not install it and restarts.',
  lowPrivilege: 'This user may not upgrade it.',
};
export const upgradeReason = (f: IsapiFailure): string => REASONS[f.subStatus ?? ''] ?? f.text;

/** Sends the file; resolves when the device has all of it. `installed`: it answered that it is through. */
export async function sendFirmware(
  device: IsapiDevice,
  file: { path: string; size: number },
  onPercent: (percent: number) => void,
  signal: AbortSignal,
): Promise<Result<{ rebootRequired: boolean }>> {
  const ways = [
    { method: 'POST', ...plain(file, onPercent) },
    { method: 'PUT', ...plain(file, onPercent) },
    { method: 'POST', ...form(file, onPercent) },
  ];
  let last: Result<{ rebootRequired: boolean }> = failure('device-error', 'It takes no firmware.');
  for (const { method, ...body } of ways) {
    // A login that is known to be good: hundreds of megabytes must not end in a question for one.
    const login = await device.client.get('/System/deviceInfo', { signal });
    if (!login.ok) return login;
    let sent = false;
    const stream: BodyStream = {
      size: body.stream.size,
      open: () =>
        body.stream.open().once('end', () => {
          sent = true;
        }),
    };
    const result = await device.client.request(method, UPDATE, { ...body, stream, timeoutMs: SEND_MS, signal });
    if (!result.ok) {
      // It has the whole file and restarts, or is busy with it.
      return sent && result.code === 'device-unreachable' ? { ok: true, value: { rebootRequired: false } } : result;
    }
    const refused = judge(result.value);
    if (!refused) return { ok: true, value: { rebootRequired: responseStatus(result.value.body)?.statusCode === 7 } };
    if (refused.subStatus === 'upgrading') return failure('conflict', 'It is being upgraded already.');
    last = refused;
    if (!NOT_THIS_WAY.test(refused.subStatus ?? '') && refused.status !== 404 && refused.status !== 405) break;
  }
  return last;
}

function plain({ path, size }: { path: string; size: number }, onPercent: (percent: number) => void) {
  const open = () => createReadStream(path, { highWaterMark: 256 * 1024 });
  return { contentType: 'application/octet-stream', stream: { size, open: () => counted(open(), size, onPercent) } };
}

function form({ path, size }: { path: string; size: number }, onPercent: (percent: number) => void) {
  const boundary = `gatepost-${randomUUID()}`;
  const head = Buffer.from(
    `--${boundary}\r\nContent-Disposition: form-data; name="updateFile"; filename="digicap.dav"\r\nContent-Type: application/octet-stream\r\n\r\n`,
  );
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`);
  const open = () =>
    Readable.from(
      (async function* () {
        yield head;
        yield* counted(createReadStream(path, { highWaterMark: 256 * 1024 }), size, onPercent);
        yield tail;
      })(),
      { objectMode: false },
    );
  const type = `multipart/form-data; boundary=${boundary}`;
  return { contentType: type, stream: { size: head.length + size + tail.length, open } };
}

function counted(source: Readable, size: number, onPercent: (percent: number) => void): Readable {
  let sent = 0;
  return Readable.from(
    (async function* () {
      for await (const chunk of source as AsyncIterable<Buffer>) {
        sent += chunk.length;
        onPercent(Math.floor((sent / size) * 100));
        yield chunk;
      }
    })(),
    { objectMode: false },
  );
}

/** What it says of an upgrade under way; null: it has no such thing to say, or is not there (`gone`). */
export async function upgradeStatus(
  device: IsapiDevice,
  signal: AbortSignal,
): Promise<{ upgrading: boolean; percent: number | null } | 'gone' | null> {
  const got = await device.client.get('/System/upgradeStatus', { signal });
  if (!got.ok && got.code === 'device-unreachable') return 'gone';
  const node = got.ok ? document(got.value.body, 'upgradeStatus', 'UpgradeStatus') : null;
  if (!node) return null;
  const percent = Number(text(node, 'percent'));
  return {
    upgrading: /^true$/i.test(text(node, 'upgrading')),
    percent: text(node, 'percent') !== '' && percent >= 0 && percent <= 100 ? percent : null,
  };
}

/** Until it is through, or gone because it restarts; then it is told to restart where it has not by itself. */
export async function awaitInstalled(
  device: IsapiDevice,
  rebootRequired: boolean,
  onPercent: (percent: number) => void,
  signal: AbortSignal,
): Promise<Result<{ gone: boolean }>> {
  const { clock } = device;
  const end = clock.mono() + INSTALL_MS;
  let through = false;
  let gone = false;
  for (let silent = 0; !through && clock.mono() < end && !signal.aborted; ) {
    const status = await upgradeStatus(device, signal);
    if (status && status !== 'gone') {
      if (status.percent !== null) onPercent(status.percent);
      through = !status.upgrading || status.percent === 100;
      // No such address, or no device: it is through or on its way. Which, the version tells.
    } else {
      gone ||= status === 'gone';
      if (++silent >= 2) break;
    }
    if (!through) await clock.sleep(POLL_MS, signal);
  }
  if (signal.aborted) return failure('device-unreachable', 'The box stops.');
  if (!through && clock.mono() >= end)
    return failure('device-error', 'It has been installing for half an hour: look at it.');
  if (through || rebootRequired) {
    const told = await reboot(device, signal);
    if (!told.ok && told.code !== 'device-unreachable') return told;
  }
  return { ok: true, value: { gone } };
}

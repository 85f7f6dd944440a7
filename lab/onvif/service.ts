import type { MakePart } from '../devices/device.ts';
import { digestOf } from '../devices/logins.ts';
import { isIsapi } from '../devices/profile.ts';
import { type Asked, read } from '../isapi/server.ts';
import { onvifState } from './camera-state.ts';
import { deviceOperations, type OnvifContext, OPEN, type Operation } from './device-service.ts';
import { isSubscription, PullPoints } from './events.ts';
import { media2Operations, mediaOperations } from './media-service.ts';
import { imagingOperations, ptzOperations, settlePtz } from './ptz-imaging.ts';
import { recordingOperations, replayOperations, Searches, searchOperations } from './recording-service.ts';
import {
  checkWsse,
  type Envelope,
  envelope,
  Fault,
  faultBody,
  type OnvifOdd,
  oddOnvif,
  plainOnvif,
  readEnvelope,
} from './soap.ts';

const SERVICES: Record<string, Record<string, Operation>> = {
  device_service: deviceOperations,
  media_service: mediaOperations,
  media2_service: media2Operations,
  ptz_service: ptzOperations,
  imaging_service: imagingOperations,
  deviceio_service: deviceOperations,
  recording_service: recordingOperations,
  search_service: searchOperations,
  replay_service: replayOperations,
};

/** The ONVIF services of a camera (onvif §2–§5): WS-Security with a look at the clock, HTTP digest, pull points. */
export const onvif: MakePart = (device) => {
  const { profile: p } = device;
  const generic = !isIsapi(p.kind);
  const odd: OnvifOdd = { ...(p.kind === 'onvif-odd' ? oddOnvif : plainOnvif), profileG: p.kind === 'onvif-nvr' };
  const sources = p.kind === 'onvif-nvr' ? 2 : 1;
  const state = onvifState(p.fps, p.kbps, sources);
  const url = (path: string) => device.origin.replace(p.address, odd.xaddrHost ?? p.address) + path;
  const points = new PullPoints(() => odd, url);
  device.events.listeners.add((type, active, at) => points.event(type, active, at));
  // Of current firmware ONVIF has users of its own.
  const password = (user: string) =>
    generic || p.odd.errorsWith200 ? device.passwordOf(user) : (device.onvifUsers.get(user) ?? null);
  const digest = digestOf(p, device.logins, password);
  const context: OnvifContext = {
    device,
    state,
    odd: () => odd,
    url,
    hasPtz: (generic && sources === 1) || p.kind === 'ptz',
    sources,
    searches: new Searches(),
    publish: (...message) => points.publish(...message),
  };
  let calls = 0;

  const authorise = (asked: Asked, { header, operation }: Envelope, challenge: (value: string[]) => void): void => {
    const security = header?.children.find((n) => n.name === 'Security');
    const must = Object.entries(security?.attributes ?? {}).some(
      ([n, v]) => /mustUnderstand$/.test(n) && /1|true/.test(v),
    );
    if (odd.mustUnderstandFault && must)
      throw new Fault(
        'MustUnderstand',
        "The data in element 'Security' must be understood but cannot be processed",
        500,
      );
    if (OPEN.has(operation.name)) return;
    if (device.logins.locked) throw new Fault('NotAuthorized', 'Sender not Authorized');
    if (odd.digest && asked.raw.headers.authorization) {
      const result = digest.check(asked.method, asked.url, asked.raw.headers.authorization);
      if (result === 'ok') return;
      challenge(digest.challenges(result === 'stale'));
      throw new Fault('NotAuthorized', 'Sender not Authorized', 401);
    }
    const nowMs = Date.now() + odd.clockAheadMs;
    const result = odd.wsse ? checkWsse(header, { password, nowMs, toleranceMs: odd.toleranceMs }) : 'none';
    if (result === 'ok') {
      device.logins.succeed();
      return;
    }
    if (result === 'wrong') device.logins.fail();
    if (odd.digest && result === 'none') {
      challenge(digest.challenges(false));
      throw new Fault('NotAuthorized', 'Sender not Authorized', 401);
    }
    throw new Fault('NotAuthorized', 'Sender not Authorized');
  };

  const run = async (asked: Asked, soap: Envelope): Promise<string> => {
    const { operation, header } = soap;
    const service = asked.path.split('/')[2] ?? '';
    if (service === 'subscription' || (service === 'event_service' && isSubscription(operation)))
      return points.answer(operation, header, asked.query.get('Idx'));
    if (service === 'event_service') {
      if (operation.name === 'CreatePullPointSubscription') return points.create(operation);
      if (operation.name === 'GetEventProperties') return points.properties();
      if (operation.name === 'GetServiceCapabilities')
        return '<tev:GetServiceCapabilitiesResponse><tev:Capabilities WSPullPointSupport="true" MaxPullPoints="4"/></tev:GetServiceCapabilitiesResponse>';
    }
    if (/^(recording|search|replay)_service$/.test(service) && !odd.profileG)
      throw new Fault('ActionNotSupported', 'no recordings');
    if (service === 'ptz_service' && !context.hasPtz) throw new Fault('ActionNotSupported', 'no PTZ');
    const found = SERVICES[service]?.[operation.name];
    if (!found) throw new Fault('ActionNotSupported', operation.name, 500);
    return found(context, operation);
  };

  return {
    stop: () => points.stop(),
    state: () => {
      settlePtz(context);
      const { encoders, imaging, relays, speed, position, presets } = state;
      const named = [...presets].map(([token, { name }]) => ({ token, name }));
      return {
        onvif: {
          calls,
          subscriptions: points.count,
          subscriptionsTotal: points.created,
          encoders,
          imaging,
          speed,
          position,
          searches: context.searches.open.size,
          searchesTotal: context.searches.begun,
          played: device.recordings.played,
          odd,
          talk: {
            speaking: device.loudspeaker?.speaking.size ?? 0,
            sessionsTotal: device.loudspeaker?.sessionsTotal ?? 0,
            heardBytes: device.loudspeaker?.heard.bytes ?? 0,
          },
          presets: named,
          relays: Object.fromEntries([...relays].map(([t, r]) => [t, r.active])),
        },
      };
    },
    control: {
      /** Sets oddities by name. */
      onvif: (body) => {
        for (const [name, value] of Object.entries(body)) if (name in odd) Object.assign(odd, { [name]: value });
        device.recordings.replay.aheadMs = odd.clockAheadMs;
        return odd;
      },
      /** Of its replay: {stamps, require, scale, end, maxSessions}. */
      replay: (body) => Object.assign(device.recordings.replay, body),
      ...(generic && {
        /** `files`: [{fromMs, toMs}], or null for what it has by itself; `codec`: h264 or h265. */
        recordings: (body: Record<string, unknown>) => {
          device.recordings.codec = body.codec === 'h265' ? 'h265' : 'h264';
          const files = body.files as { fromMs: number; toMs: number }[] | null | undefined;
          device.recordings.set(files?.map((file) => ({ ...file, kind: 'timing' as const })) ?? null);
          return { files: files?.length ?? null };
        },
        /** Of the way back over RTSP: {codec, require, busy, hangUpAfter, mute}. */
        backchannel: (body: Record<string, unknown>) => Object.assign(device.loudspeaker!.odd, body),
        /** What was heard there since `forget`. */
        heard: (body: Record<string, unknown>) => {
          const { heard, odd, packets } = device.loudspeaker!;
          const told = { ...heard.told(), codec: odd.codec, packets: packets.slice(-10_000) };
          if (body.forget) {
            heard.forget();
            packets.length = 0;
          }
          return told;
        },
      }),
      input: (body) => {
        const value = body.active === false ? 'false' : 'true';
        points.publish('tns1:Device/Trigger/DigitalInput', 'InputToken', 'DigitalInput_1', 'LogicalState', value);
        return { active: value === 'true' };
      },
    },
    open: async (asked, response) => {
      if (!asked.path.startsWith('/onvif/') || !device.onvif) return false;
      calls++;
      const send = (status: number, body: string | Buffer, type = 'application/soap+xml; charset=utf-8') => {
        response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) });
        response.end(body);
      };
      const challenge = (value: string[]) => response.setHeader('WWW-Authenticate', value);
      if (asked.path === '/onvif/snapshot') {
        asked.raw.resume();
        const result = digest.check(asked.method, asked.url, asked.raw.headers.authorization);
        if (result === 'ok') send(200, await device.snapshot(), 'image/jpeg');
        else {
          challenge(digest.challenges(result === 'stale'));
          send(401, '<html><body>401 Unauthorized</body></html>', 'text/html');
        }
        return true;
      }
      const soap = readEnvelope((await read(asked.raw)).toString('utf8'));
      try {
        if (!soap || asked.method !== 'POST') throw new Fault('WellFormed', 'no SOAP envelope');
        authorise(asked, soap, challenge);
        send(200, envelope(await run(asked, soap)));
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        const status = odd.faultsWith200 && error.status !== 401 ? 200 : error.status;
        send(status, faultBody(error));
      }
      return true;
    },
  };
};

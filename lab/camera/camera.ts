import { AlertStreams } from './alert-stream.ts';
import { DigestLogin, LoginCounter } from './digest.ts';
import { CameraEvents, type Emitted } from './events.ts';
import { Factory } from './factory.ts';
import { IsapiServer } from './isapi.ts';
import type { CameraProfile } from './profile.ts';
import { RtspFront } from './rtsp-front.ts';
import type { Video } from './video.ts';

/** 1 × 1 pixel, for a lab without video. */
const TINY_JPEG = Buffer.from(
  '/9j/4AAQSkZJRgABAQEASABIAAD/2wBDAP//////////////////////////////////////////////////////////////////////////////////////wAALCAABAAEBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAAAv/EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8AN//Z',
  'base64',
);

/** One simulated camera on its own loopback address: HTTP, alertStream and RTSP, with one count of failed logins. */
export class Camera {
  readonly profile: CameraProfile;
  readonly events: CameraEvents;
  readonly streams: AlertStreams;
  readonly logins = new LoginCounter();
  readonly rtsp: RtspFront | null;
  readonly factory: Factory;
  readonly #isapi: IsapiServer;

  constructor(options: {
    profile: CameraProfile;
    httpPort: number;
    rtspPort: number;
    /** null: no RTSP, and snapshots of one pixel. */
    video: Video | null;
    record: (emitted: Emitted) => void;
    /** Where a camera from the factory keeps the password that it was given. */
    kept?: { read: () => string | null; write: (password: string | null) => void };
  }) {
    const { profile, video } = options;
    this.profile = profile;
    this.streams = new AlertStreams(profile, () => this.httpPort);
    this.events = new CameraEvents({
      profile,
      streams: this.streams,
      record: options.record,
      onLabel: (text) => video?.label(profile.name, text),
    });
    const { username, odd } = profile;
    const { kept } = options;
    this.factory = new Factory(profile.password ?? kept?.read() ?? null, (password) => kept?.write(password));
    const login = { username, password: () => this.factory.password, counter: this.logins };
    this.rtsp = video
      ? new RtspFront({
          address: profile.address,
          port: options.rtspPort,
          login: new DigestLogin({
            ...login,
            // Unlike over HTTP, a nonce is good for as long as the session lasts.
            nonceLifeMs: Number.POSITIVE_INFINITY,
            realm: odd.realm,
            algorithms: ['MD5'],
            qop: false,
            saysStale: odd.saysStale,
          }),
          upstream: () => video.upstream(profile),
        })
      : null;
    this.#isapi = new IsapiServer({
      profile,
      port: options.httpPort,
      login: new DigestLogin({ ...login, ...odd }),
      factory: this.factory,
      counter: this.logins,
      streams: this.streams,
      rtspPort: () => this.rtspPort,
      snapshot: async () => (video ? video.snapshot(profile.name) : TINY_JPEG),
    });
  }

  get httpPort(): number {
    return this.#isapi.port;
  }
  get rtspPort(): number {
    return this.rtsp?.port ?? 554;
  }

  async start(): Promise<void> {
    await this.#isapi.start();
    await this.rtsp?.start();
    this.streams.start();
  }

  async stop(): Promise<void> {
    this.events.stop();
    this.streams.stop();
    await this.rtsp?.stop();
    await this.#isapi.stop();
  }

  state() {
    return {
      activated: this.factory.activated,
      failedLogins: this.logins.failedLogins,
      locked: this.logins.locked,
      alertStreams: this.streams.count,
      httpRequests: this.#isapi.requests,
      rtspSessions: this.rtsp?.sessions ?? 0,
      rtspSessionsTotal: this.rtsp?.sessionsTotal ?? 0,
      videoMode: this.rtsp?.mode ?? null,
    };
  }
}

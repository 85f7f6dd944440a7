import type * as Players from './players.ts';

/*
 * Runs in the browser, by its text: it refers to nothing outside. The players are the portal's own: how they keep near the
 * newest picture is part of the figure.
 */
export interface Looked {
  /** From the beginning of the request to the first picture on the screen. */
  firstMs: number;
  /** Of each picture: how old the clock in it was when it was shown. */
  behindMs: number[];
}

/** One look of `ms` at a channel, directly or through the relay. */
export async function inPage(
  o: { way: 'direct' | 'relay'; channel: string; ms: number; first: boolean },
  readClock: (frame: { data: Uint8Array; width: number; height: number; channels: 1 }) => number | null,
  { MsePlayer, MediaSocket, WebRtcPlayer, socketAddress }: typeof Players,
): Promise<Looked> {
  const started = performance.now();
  const video = document.createElement('video');
  video.muted = true;
  document.body.replaceChildren(video);
  let firstMs = -1;
  const behindMs: number[] = [];
  // As the decoder left it: to draw it takes up to 150 ms of a busy machine, and the player would wait for that.
  const brightness = async (frame: VideoFrame) => {
    if (frame.format !== 'I420' && frame.format !== 'NV12') throw new Error(`pictures as ${frame.format}`);
    const { displayWidth: width, displayHeight } = frame;
    const rect = { x: 0, y: 0, width, height: Math.ceil(displayHeight / 16) * 2 };
    const data = new Uint8Array(frame.allocationSize({ rect }));
    const [luma] = await frame.copyTo(data, { rect });
    const { offset, stride } = luma!;
    const rows = new Uint8Array(width * rect.height);
    for (let y = 0; y < rect.height; y++)
      rows.set(data.subarray(offset + y * stride, offset + y * stride + width), y * width);
    return rows;
  };
  const shown = () => {
    if (firstMs < 0) firstMs = performance.now() - started;
    // What was cached comes in a burst; then it is steady.
    else if (performance.now() - started > firstMs + 1000) {
      const now = Date.now();
      const seen = new VideoFrame(video, { timestamp: 0 });
      void brightness(seen).then((data) => {
        const clock = readClock({ data, width: seen.displayWidth, height: seen.displayHeight, channels: 1 });
        if (clock !== null) behindMs.push(now - clock);
        seen.close();
      });
    }
    video.requestVideoFrameCallback(shown);
  };
  video.requestVideoFrameCallback(shown);
  let end: () => unknown;
  if (o.way === 'direct') {
    const servers = async () =>
      ((await (await fetch(`${o.channel}/live?stream=main`)).json()) as { iceServers: [] }).iceServers;
    const player = new WebRtcPlayer({
      video,
      whep: `${o.channel}/whep?stream=main`,
      // A page asks once, for all that it shows.
      iceServers: async () => (o.first ? servers() : []),
      onState: (state, error) => state === 'failed' && console.error(error),
    });
    player.start();
    end = () => player.stop();
  } else {
    const player = new MsePlayer({ video, mode: 'live' });
    player.start();
    const socket = new MediaSocket({
      url: socketAddress(`${o.channel}/live/socket`, {}),
      onMessage: (message) => player.push(message),
      onEnd: () => {},
    });
    socket.start();
    end = () => {
      socket.stop();
      player.stop();
    };
  }
  while (firstMs < 0 || performance.now() - started < firstMs + o.ms) await new Promise((r) => setTimeout(r, 50));
  await end();
  video.srcObject = null;
  video.removeAttribute('src');
  return { firstMs, behindMs };
}

/** Milliseconds of the wall clock. */
export interface Heard {
  flashes: number[];
  /** Once they had time to come together. */
  beeps: number[];
  listenedAt: number;
}

/** When flashes are seen and beeps heard of what plays at this page's own address, with the portal's player. */
export async function lipsInPage(
  o: { unheardS: number; togetherS: number; heardS: number },
  { WebRtcPlayer }: typeof Players,
): Promise<Heard> {
  const video = document.querySelector('video')!;
  video.muted = true;
  const flashes: number[] = [];
  const beeps: number[] = [];
  let white = false;
  const shown = (_: number, { expectedDisplayTime }: VideoFrameCallbackMetadata) => {
    const frame = new VideoFrame(video, { timestamp: 0 });
    const rect = { x: 160, y: 120, width: 2, height: 2 };
    const data = new Uint8Array(frame.allocationSize({ rect }));
    void frame.copyTo(data, { rect }).then(() => {
      frame.close();
      if (data[0]! > 128 && !white) flashes.push(performance.timeOrigin + expectedDisplayTime);
      white = data[0]! > 128;
    });
    video.requestVideoFrameCallback(shown);
  };
  video.requestVideoFrameCallback(shown);
  const player = new WebRtcPlayer({ video, whep: '/', iceServers: async () => [], onState: () => {} });
  player.start();
  const wait = (s: number) => new Promise((resolve) => setTimeout(resolve, s * 1000));
  await wait(o.unheardS);
  const listenedAt = Date.now();
  video.muted = false;
  player.setSound(true);
  await wait(o.togetherS);
  const context = new AudioContext();
  const analyser = new AnalyserNode(context, { fftSize: 256 });
  context.createMediaStreamSource(video.srcObject as MediaStream).connect(analyser);
  const wave = new Float32Array(256);
  let loud = true;
  const listen = setInterval(() => {
    analyser.getFloatTimeDomainData(wave);
    const now = wave.some((value) => Math.abs(value) > 0.1);
    if (now && !loud) beeps.push(Date.now());
    loud = now;
  }, 4);
  await wait(o.heardS);
  clearInterval(listen);
  player.stop();
  return { flashes, beeps, listenedAt };
}

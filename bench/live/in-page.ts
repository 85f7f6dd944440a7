import type * as Players from './players.ts';

/*
 * Runs in the browser, by its text: it refers to nothing outside. Directly, what a player does at least; through the relay the
 * portal's own player, for how it keeps near the newest picture is part of the figure.
 */
export interface Looked {
  /** From the beginning of the request to the first picture on the screen. */
  firstMs: number;
  /** Of each picture: how old the clock in it was when it was shown. */
  behindMs: number[];
}

/** One look of `ms` at a channel, directly or through the relay. */
export async function inPage(
  o: { way: 'direct' | 'relay'; channel: string; ms: number },
  readClock: (frame: { data: Uint8ClampedArray; width: number; height: number; channels: 4 }) => number | null,
  { MsePlayer, MediaSocket, socketAddress }: typeof Players,
): Promise<Looked> {
  const started = performance.now();
  const video = document.createElement('video');
  video.muted = true;
  document.body.replaceChildren(video);
  const canvas = document.createElement('canvas');
  const context = canvas.getContext('2d', { willReadFrequently: true })!;
  let firstMs = -1;
  const behindMs: number[] = [];
  const shown = () => {
    if (firstMs < 0) firstMs = performance.now() - started;
    // What was cached comes in a burst; then it is steady.
    else if (performance.now() - started > firstMs + 1000) {
      const [width, height] = [video.videoWidth, video.videoHeight];
      canvas.width = width;
      canvas.height = Math.ceil(height / 8);
      context.drawImage(video, 0, 0);
      const now = Date.now();
      const { data } = context.getImageData(0, 0, width, canvas.height);
      const clock = readClock({ data, width, height, channels: 4 });
      if (clock !== null) behindMs.push(now - clock);
    }
    video.requestVideoFrameCallback(shown);
  };
  video.requestVideoFrameCallback(shown);
  let end: () => unknown;
  if (o.way === 'direct') {
    const peer = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
    const { receiver } = peer.addTransceiver('video', { direction: 'recvonly' });
    receiver.jitterBufferTarget = 0;
    await peer.setLocalDescription();
    const headers = { 'content-type': 'application/sdp' };
    const body = peer.localDescription!.sdp;
    const answer = await fetch(`${o.channel}/whep`, { method: 'POST', headers, body });
    if (answer.status !== 201) throw new Error(await answer.text());
    await peer.setRemoteDescription({ type: 'answer', sdp: await answer.text() });
    video.srcObject = new MediaStream([receiver.track]);
    const view = answer.headers.get('location')!;
    end = async () => {
      await fetch(view, { method: 'DELETE' });
      peer.close();
    };
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
  if (o.way === 'direct') await video.play();
  while (firstMs < 0 || performance.now() - started < firstMs + o.ms) await new Promise((r) => setTimeout(r, 50));
  await end();
  video.srcObject = null;
  video.removeAttribute('src');
  return { firstMs, behindMs };
}

/*
 * Runs in the browser, by its text: it refers to nothing outside. What a player does at least, so that the figures are those
 * of the product's paths and not of a page around them.
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
    const source = new MediaSource();
    video.src = URL.createObjectURL(source);
    await new Promise((resolve) => source.addEventListener('sourceopen', resolve, { once: true }));
    const socket = new WebSocket(`${location.origin.replace('http', 'ws')}${o.channel}/live/socket`);
    socket.binaryType = 'arraybuffer';
    let buffer: SourceBuffer | null = null;
    const queue: ArrayBuffer[] = [];
    const next = () => {
      if (buffer && !buffer.updating && queue.length > 0) buffer.appendBuffer(queue.shift()!);
    };
    const steer = () => {
      if (video.buffered.length === 0) return;
      const behind = video.buffered.end(video.buffered.length - 1) - video.currentTime;
      if (behind > 1 || video.currentTime < video.buffered.start(video.buffered.length - 1))
        video.currentTime = video.buffered.end(video.buffered.length - 1) - 0.06;
      video.playbackRate = behind > 0.2 ? 1.1 : 1;
    };
    socket.onmessage = ({ data }: MessageEvent<ArrayBuffer>) => {
      const view = new DataView(data);
      const type = view.getUint8(0);
      if (type === 1) {
        const json = 3 + view.getUint16(1);
        const { codecs } = JSON.parse(new TextDecoder().decode(data.slice(3, json))) as { codecs: string };
        buffer = source.addSourceBuffer(`video/mp4; codecs="${codecs}"`);
        buffer.addEventListener('updateend', () => {
          steer();
          next();
        });
        queue.push(data.slice(json));
      } else if (type === 2 || type === 3) queue.push(data.slice(9));
      next();
    };
    end = () => socket.close();
  }
  await video.play();
  while (firstMs < 0 || performance.now() - started < firstMs + o.ms) await new Promise((r) => setTimeout(r, 50));
  await end();
  video.srcObject = null;
  video.removeAttribute('src');
  return { firstMs, behindMs };
}

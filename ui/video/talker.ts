import type { TalkFrame } from './talk-sound.ts';
import worklet from './talk-worklet.ts?worker&url';

/** `waiting`: the microphone is on, the device does not take the sound yet; `heard`: it does. */
export interface TalkState {
  state: 'asking' | 'waiting' | 'heard' | 'over';
  /** How loud the microphone is, 0 to 1. */
  level: number;
  /** Of `over`: why, as a code, with words of the box or the relay; null: it was ended here. */
  why: { code: string; text: string } | null;
}

/** No word of the device for so long: it is not certain any more that somebody is heard. */
const DOUBT_MS = 1_500;
/** Half a second: what the connection has not taken, or what comes in a heap after the page stood still, is late. */
const MAX_WAITING_BYTES = 4_000;
/** Somewhat more than speech has: two clocks never agree. */
const BYTES_A_MS = 8.4;
/** Speech is some −30 dB and more. */
const LOUD = 0.25;

/** Speaks to a channel: microphone, G.711, a socket to the relay. `start` once; `stop` at any time. */
export class Talker {
  readonly #url: string;
  readonly #onChange: (state: TalkState) => void;
  #state: TalkState = { state: 'asking', level: 0, why: null };
  #stream: MediaStream | null = null;
  #context: AudioContext | null = null;
  #socket: WebSocket | null = null;
  #heardMs = 0;
  #heardAt = 0;
  #room = MAX_WAITING_BYTES;
  #roomAt = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor({ url, onChange }: { url: string; onChange: (state: TalkState) => void }) {
    this.#url = url;
    this.#onChange = onChange;
  }

  get over(): boolean {
    return this.#state.state === 'over';
  }

  async start(): Promise<void> {
    this.#set({ state: 'asking' });
    const media = globalThis.isSecureContext ? navigator.mediaDevices : undefined;
    if (!media || typeof AudioWorkletNode !== 'function')
      return this.#end(globalThis.isSecureContext ? 'mic-no-player' : 'mic-not-secure');
    try {
      const audio = { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true };
      const stream = await media.getUserMedia({ audio });
      if (this.over) return stream.getTracks().forEach((track) => void track.stop());
      this.#stream = stream;
      // Unplugged, or taken back in the browser's own settings.
      for (const track of stream.getTracks()) track.onended = () => this.#end('mic-gone');
      await this.#listen(stream);
    } catch (error) {
      this.#end(reasonOf(error));
      return;
    }
    if (!this.over) this.#connect();
  }

  stop(): void {
    this.#end(null);
  }

  async #listen(stream: MediaStream): Promise<void> {
    const context = new AudioContext({ latencyHint: 'interactive' });
    this.#context = context;
    await context.audioWorklet.addModule(worklet);
    if (this.over) return;
    const node = new AudioWorkletNode(context, 'gatepost-talk', { numberOfInputs: 1, numberOfOutputs: 0 });
    node.port.onmessage = ({ data }: MessageEvent<TalkFrame>) => this.#frame(data);
    context.createMediaStreamSource(stream).connect(node);
    await context.resume();
  }

  #connect(): void {
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    socket.binaryType = 'arraybuffer';
    let why: TalkState['why'] = null;
    socket.onmessage = ({ data }: MessageEvent<unknown>) => {
      const line = typeof data === 'string' ? (JSON.parse(data) as Record<string, unknown>) : {};
      if (line.type === 'ended') why = { code: String(line.code), text: String(line.text) };
      if (line.type === 'heard') this.#heard(Number(line.heardMs));
    };
    socket.onclose = () => {
      if (this.#socket === socket) this.#end(why?.code ?? 'network', why?.text);
    };
    this.#set({ state: 'waiting' });
    this.#timer = setInterval(() => {
      if (this.#state.state === 'heard' && performance.now() - this.#heardAt > DOUBT_MS)
        this.#set({ state: 'waiting' });
    }, 500);
  }

  /** The device has taken so much of it so far. */
  #heard(heardMs: number): void {
    if (heardMs <= this.#heardMs) return;
    this.#heardMs = heardMs;
    this.#heardAt = performance.now();
    if (this.#state.state === 'waiting') this.#set({ state: 'heard' });
  }

  #frame({ mu, level }: TalkFrame): void {
    if (this.over) return;
    const now = performance.now();
    this.#room = Math.min(MAX_WAITING_BYTES, this.#room + (now - this.#roomAt) * BYTES_A_MS);
    this.#roomAt = now;
    const socket = this.#socket;
    if (this.#room >= mu.length && socket?.readyState === WebSocket.OPEN && socket.bufferedAmount < MAX_WAITING_BYTES) {
      this.#room -= mu.length;
      socket.send(mu);
    }
    // Falls slowly, so that an eye can follow.
    this.#set({ level: Math.max(Math.min(1, level / LOUD), this.#state.level * 0.85) });
  }

  #end(code: string | null, text = ''): void {
    if (this.over) return;
    clearInterval(this.#timer);
    const socket = this.#socket;
    this.#socket = null;
    socket?.close(1000);
    for (const track of this.#stream?.getTracks() ?? []) {
      track.onended = null;
      track.stop();
    }
    this.#context?.close().catch(() => {});
    this.#set({ state: 'over', level: 0, why: code === null ? null : { code, text } });
  }

  #set(change: Partial<TalkState>): void {
    this.#state = { ...this.#state, ...change };
    this.#onChange(this.#state);
  }
}

/** Of getUserMedia (Media Capture and Streams §10.2.1). */
function reasonOf(error: unknown): string {
  const name = error instanceof DOMException ? error.name : '';
  if (name === 'NotAllowedError' || name === 'SecurityError') return 'mic-refused';
  if (name === 'NotFoundError' || name === 'OverconstrainedError') return 'mic-none';
  if (name === 'NotReadableError') return 'mic-busy';
  return 'mic-no-player';
}

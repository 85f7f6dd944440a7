/*
 * Pictures and sound on their way to a viewer through the relay, from live view and from playback alike: a row of messages.
 * In an HTTP body each stands behind its length (32 bit, big-endian); on a WebSocket each is one binary message.
 *
 *   message   type (8 bit), body
 *   init      length of the JSON (16 bit), JSON of MediaInit, init segment of a fragmented MP4
 *   key       wall time of its first picture (float64, milliseconds), one MP4 fragment that begins with a key frame
 *   delta     the same, without a key frame
 *   audio     wall time (float64), G.711 as the camera sent it, 8 kHz mono; its law stands in MediaInit
 *   note      JSON of MediaNote
 *
 * `init` comes first and again whenever times or codec start anew; after it comes `key`. Who cannot keep up loses whole
 * messages up to the next `key`.
 */
export const MEDIA_TYPES = { init: 1, key: 2, delta: 3, audio: 4, note: 5 } as const;
export type MediaType = keyof typeof MEDIA_TYPES;
export const MEDIA_CONTENT_TYPE = 'application/x-gatepost-media';
/** A key frame of 4K, and its neighbours. */
export const MAX_MEDIA_MESSAGE_BYTES = 16 * 1024 * 1024;

export interface MediaInit {
  /** RFC 6381, all that is in the MP4: `avc1.64001f, mp4a.40.2`. */
  codecs: string;
  width: number;
  height: number;
  /** What comes as `audio` messages beside the MP4. */
  audio: 'pcmu' | 'pcma' | null;
  /** The camera sends something else; this was made of it for the viewer. */
  transcoded: boolean;
}
export interface MediaNote {
  /** `gap` (with `toMs`: pictures go on there), `stalled`, `ended`, `refused` or a problem's code. */
  code: string;
  text: string;
  toMs?: number;
}

export type MediaMessage =
  | { type: 'init'; init: MediaInit; data: Uint8Array }
  | { type: 'key' | 'delta' | 'audio'; wallMs: number; data: Uint8Array }
  | { type: 'note'; note: MediaNote };

const text = new TextEncoder();

/** One message, without a length before it. */
export function writeMedia(message: MediaMessage): Uint8Array {
  const { type } = message;
  if (type === 'init') {
    const json = text.encode(JSON.stringify(message.init));
    const out = new Uint8Array(3 + json.length + message.data.length);
    new DataView(out.buffer).setUint16(1, json.length);
    out[0] = MEDIA_TYPES[type];
    out.set(json, 3);
    out.set(message.data, 3 + json.length);
    return out;
  }
  if (type === 'note') {
    const json = text.encode(JSON.stringify(message.note));
    const out = new Uint8Array(1 + json.length);
    out[0] = MEDIA_TYPES[type];
    out.set(json, 1);
    return out;
  }
  const out = new Uint8Array(9 + message.data.length);
  out[0] = MEDIA_TYPES[type];
  new DataView(out.buffer).setFloat64(1, message.wallMs);
  out.set(message.data, 9);
  return out;
}

/** null: this is no message. `data` is a view of `bytes`. */
export function readMedia(bytes: Uint8Array): MediaMessage | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    switch (bytes[0]) {
      case MEDIA_TYPES.init: {
        const end = 3 + view.getUint16(1);
        return { type: 'init', init: json(bytes.subarray(3, end)) as MediaInit, data: bytes.subarray(end) };
      }
      case MEDIA_TYPES.key:
        return { type: 'key', wallMs: view.getFloat64(1), data: bytes.subarray(9) };
      case MEDIA_TYPES.delta:
        return { type: 'delta', wallMs: view.getFloat64(1), data: bytes.subarray(9) };
      case MEDIA_TYPES.audio:
        return { type: 'audio', wallMs: view.getFloat64(1), data: bytes.subarray(9) };
      case MEDIA_TYPES.note:
        return { type: 'note', note: json(bytes.subarray(1)) as MediaNote };
      default:
        return null;
    }
  } catch {
    return null;
  }
}

const json = (bytes: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(bytes));

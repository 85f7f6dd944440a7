import { TalkFrames } from './talk-sound.ts';

/* An audio worklet: its scope is not the page's (Web Audio API §1.32). */
declare const sampleRate: number;
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}
declare function registerProcessor(name: string, made: new () => AudioWorkletProcessor): void;

class Talk extends AudioWorkletProcessor {
  readonly #frames = new TalkFrames(sampleRate);

  process([input]: Float32Array[][]): boolean {
    const [samples] = input ?? [];
    if (samples) for (const frame of this.#frames.push(samples)) this.port.postMessage(frame, [frame.mu.buffer]);
    return true;
  }
}

registerProcessor('gatepost-talk', Talk);

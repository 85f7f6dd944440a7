import { until } from './relay.ts';

/** A reader of server-sent events. */
export class TestStream {
  readonly messages: { event: string; data: Record<string, unknown> }[] = [];
  comments = 0;
  ended = false;
  status = 0;
  readonly #abort = new AbortController();

  async open(url: string, token: string): Promise<this> {
    const response = await fetch(url, { headers: { authorization: `Bearer ${token}` }, signal: this.#abort.signal });
    this.status = response.status;
    if (response.status === 200) {
      this.#read(response).catch(() => {
        this.ended = true;
      });
    } else await response.body?.cancel();
    return this;
  }

  async #read(response: Response): Promise<void> {
    let rest = '';
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      const blocks = (rest + chunk).split('\n\n');
      rest = blocks.pop() as string;
      for (const block of blocks) {
        const event = /^event: (.*)$/m.exec(block)?.[1];
        if (event) this.messages.push({ event, data: JSON.parse(/^data: (.*)$/m.exec(block)![1]!) });
        else this.comments++;
      }
    }
    this.ended = true;
  }

  first(event: string, found: (data: Record<string, unknown>) => unknown = () => true) {
    return until(event, () => this.messages.find((m) => m.event === event && found(m.data))?.data);
  }

  close(): void {
    this.#abort.abort();
  }
}

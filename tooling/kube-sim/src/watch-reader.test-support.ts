import type { KubeObject } from './kube-object.ts';

export interface WatchEvent {
  readonly type: string;
  readonly object: KubeObject;
}

/** Reads a watch over real HTTP, line by line. */
export class WatchReader implements AsyncDisposable {
  readonly #lines: AsyncIterator<string>;
  readonly #controller: AbortController;
  /** Lines read so far. */
  received = 0;

  private constructor(lines: AsyncIterator<string>, controller: AbortController) {
    this.#lines = lines;
    this.#controller = controller;
  }

  /** Resolves once the server has sent its headers. */
  static async open(url: string, signal: AbortSignal): Promise<WatchReader> {
    const controller = new AbortController();
    const response = await fetch(url, { signal: AbortSignal.any([signal, controller.signal]) });
    if (response.status !== 200 || !response.body) throw new Error(`watch refused: ${await response.text()}`);
    return new WatchReader(splitLines(response.body), controller);
  }

  async take(count: number): Promise<readonly WatchEvent[]> {
    const events: WatchEvent[] = [];
    while (events.length < count) {
      const line = await this.#next();
      if (line === undefined) throw new Error(`watch ended after ${events.length} of ${count} events`);
      events.push(JSON.parse(line) as WatchEvent);
    }
    return events;
  }

  /** All lines until the server ends the watch. */
  async lines(): Promise<readonly string[]> {
    const lines: string[] = [];
    for (let line = await this.#next(); line !== undefined; line = await this.#next()) lines.push(line);
    return lines;
  }

  async rest(): Promise<readonly WatchEvent[]> {
    return (await this.lines()).map((line) => JSON.parse(line) as WatchEvent);
  }

  cancel(): Promise<void> {
    return this[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#controller.abort();
    await Promise.resolve();
  }

  async #next(): Promise<string | undefined> {
    const { done, value } = await this.#lines.next();
    if (done) return undefined;
    this.received += 1;
    return value;
  }
}

async function* splitLines(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let buffered = '';
  for await (const chunk of body) {
    buffered += decoder.decode(chunk, { stream: true });
    const lines = buffered.split('\n');
    buffered = lines.pop() ?? '';
    yield* lines;
  }
}

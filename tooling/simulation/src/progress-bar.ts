const WIDTH = 30;

/** A line that is drawn over and over; nothing where the output is not a terminal. */
export class ProgressBar implements Disposable {
  readonly #out: NodeJS.WriteStream;
  readonly #total: number;
  readonly #isShown: boolean;
  #lastMs = 0;

  constructor(out: NodeJS.WriteStream, total: number, isWanted: boolean) {
    this.#out = out;
    this.#total = total;
    this.#isShown = isWanted && out.isTTY;
  }

  update(done: number, found: number): void {
    const nowMs = performance.now();
    if (!this.#isShown || (done < this.#total && nowMs - this.#lastMs < 100)) return;
    this.#lastMs = nowMs;
    const filled = Math.round((done / this.#total) * WIDTH);
    const bar = '#'.repeat(filled) + '-'.repeat(WIDTH - filled);
    this.#out.write(`\r[${bar}] ${done}/${this.#total} runs, ${found} with findings `);
  }

  [Symbol.dispose](): void {
    if (this.#isShown) this.#out.write('\r\u001B[K');
  }
}

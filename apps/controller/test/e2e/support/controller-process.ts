import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { until } from './until.ts';

const MAIN = fileURLToPath(new URL('../../../src/main.ts', import.meta.url));

/** A line the controller logged. */
export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** The real controller as a process of its own, composed as in production. */
export class ControllerProcess implements AsyncDisposable {
  readonly log: LogLine[] = [];
  /** What it wrote beside its log: the reason of a refused start. */
  stderr = '';
  readonly #process: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #startedAtMs = Date.now();
  readonly #listeners = new Set<(line: LogLine) => void>();
  #url: string | undefined;

  constructor(flags: readonly string[]) {
    const { PATH = '' } = process.env;
    this.#process = spawn(process.execPath, ['--conditions=source', MAIN, ...flags], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH },
    });
    this.#exited = once(this.#process, 'exit');
    const { stdout, stderr } = this.#process;
    if (!stdout || !stderr) throw new TypeError('Expected pipes from the controller');
    stderr.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString();
    });
    createInterface({ input: stdout }).on('line', (text) => this.#read(text));
  }

  get hasExited(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null;
  }

  onLine(listener: (line: LogLine) => void): void {
    this.#listeners.add(listener);
  }

  /** Lines with this message, and these fields where given. */
  logged(msg: string, fields: Readonly<Record<string, unknown>> = {}): readonly LogLine[] {
    return this.log.filter(
      (line) => line.msg === msg && Object.entries(fields).every(([key, value]) => line[key] === value),
    );
  }

  /** Waits for `/readyz` to say yes. @returns what it took from the start of the process, ms. */
  async ready(timeoutMs = 30_000): Promise<number> {
    await until(
      () =>
        `the controller to be ready; it said:\n${this.stderr}${JSON.stringify(this.log.slice(-5), null, 1)}`,
      timeoutMs,
      async () => {
        if (this.hasExited) throw new Error(`The controller exited: ${this.stderr}`);
        return (await this.#probe('/readyz'))?.ok === true;
      },
      20,
    );
    return Date.now() - this.#startedAtMs;
  }

  /** Whether it runs the passes. @see design section 7: the standby is ready as well */
  get leads(): boolean {
    return this.logged('Ran startup pass').length > 0;
  }

  async #probe(path: string): Promise<Response | undefined> {
    if (this.#url === undefined) return undefined;
    return await fetch(`${this.#url}${path}`).catch(() => undefined);
  }

  /** Resident memory, MB. */
  residentMb(): number {
    const status = readFileSync(`/proc/${this.#process.pid}/status`, 'utf8');
    return Math.round(Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024);
  }

  /** Gone at once, without a word, as in a crash. */
  async crash(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#exited;
  }

  /** Stops it as the kubelet does. @returns its exit code. */
  async stop(): Promise<number | null> {
    if (!this.hasExited) {
      this.#process.kill('SIGTERM');
      await this.#exited;
    }
    return this.#process.exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #read(text: string): void {
    let line: LogLine;
    try {
      line = JSON.parse(text) as LogLine;
    } catch {
      return;
    }
    if (typeof line['url'] === 'string') this.#url = line['url'];
    this.log.push(line);
    for (const listener of this.#listeners) listener(line);
  }
}

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A line that the controller logged. */
export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** The real controller as a process of its own, with its production times. */
export class ControllerProcess implements AsyncDisposable {
  readonly log: LogLine[] = [];
  readonly #process: ChildProcess;
  readonly #exited: Promise<unknown>;
  #url: string | undefined;

  constructor(flags: readonly string[], onLine: (line: LogLine) => void) {
    const main = fileURLToPath(import.meta.resolve('@reattach/controller/main'));
    const { PATH = '' } = process.env;
    this.#process = spawn(process.execPath, ['--conditions=source', main, ...flags], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { PATH },
    });
    this.#exited = once(this.#process, 'exit');
    const { stdout } = this.#process;
    if (!stdout) throw new TypeError('Expected a pipe from the controller');
    createInterface({ input: stdout }).on('line', (text) => {
      const line = parseLine(text);
      if (!line) return;
      if (typeof line['url'] === 'string') this.#url = line['url'];
      this.log.push(line);
      onLine(line);
    });
  }

  get hasExited(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null;
  }

  /** Empty when `/readyz` says that it is ready, else why not. */
  async unready(): Promise<string> {
    if (this.#url === undefined) return 'not started';
    return fetch(`${this.#url}/readyz`).then(
      async (response) => (response.ok ? '' : response.text()),
      (err: unknown) => `no answer: ${String(err)}`,
    );
  }

  /** The lines with this message. */
  logged(message: string): readonly LogLine[] {
    return this.log.filter(({ msg }) => msg === message);
  }

  /** Stops it as the kubelet does. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.hasExited) return;
    this.#process.kill('SIGTERM');
    await this.#exited;
  }
}

function parseLine(text: string): LogLine | undefined {
  try {
    return JSON.parse(text) as LogLine;
  } catch {
    return undefined;
  }
}

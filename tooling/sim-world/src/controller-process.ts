import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { until } from './until.ts';

/** Longest wait until the controller is ready, ms; far above what a busy machine needs. */
const READY_TIMEOUT_MS = 180_000;

/** A line the controller logged. */
export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

export interface ControllerProcessOptions {
  /** Path of the controller's `main.ts`. */
  readonly main: string;
  readonly flags: readonly string[];
  /** Default: `controller`. */
  readonly name?: string;
  /** Called with every line it logs. */
  readonly onLine?: (line: LogLine, from: ControllerProcess) => void;
}

/** The real controller as a process of its own, composed as in production. */
export class ControllerProcess implements AsyncDisposable {
  readonly name: string;
  readonly log: LogLine[] = [];
  /** What it wrote beside its log: the reason of a refused start. */
  stderr = '';
  readonly #process: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #startedAtMs = Date.now();
  readonly #onLine: ControllerProcessOptions['onLine'];
  #url: string | undefined;

  constructor({ main, flags, name = 'controller', onLine }: ControllerProcessOptions) {
    this.name = name;
    this.#onLine = onLine;
    const { PATH = '' } = process.env;
    this.#process = spawn(process.execPath, ['--conditions=source', main, ...flags], {
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

  /** Whether it runs the passes; a standby is ready as well. */
  get leads(): boolean {
    return this.logged('Ran startup pass').length > 0;
  }

  /** Lines with this message, and these fields where given. */
  logged(msg: string, fields: Readonly<Record<string, unknown>> = {}): readonly LogLine[] {
    return this.log.filter(
      (line) => line.msg === msg && Object.entries(fields).every(([key, value]) => line[key] === value),
    );
  }

  /** What `/readyz` says: ready, or why not. */
  async readiness(): Promise<{ readonly ok: boolean; readonly why: string }> {
    if (this.hasExited) return { ok: false, why: `exited: ${this.stderr}` };
    if (this.#url === undefined) return { ok: false, why: `not started ${this.stderr}`.trimEnd() };
    const response = await fetch(`${this.#url}/readyz`);
    const { ok, checks } = (await response.json()) as {
      ok: boolean;
      checks: { ok: boolean; name: string; why: string }[];
    };
    const failed = checks.filter((check) => !check.ok);
    return { ok, why: failed.map(({ name, why }) => `${name}: ${why}`).join('; ') };
  }

  /** What `/state` says of attachments on lost nodes: the node, and what its backend proves about it. */
  async lostAttachments(): Promise<
    readonly { readonly node: string; readonly evidence: { readonly kind: string } }[]
  > {
    const response = await fetch(`${this.#url}/state?attachments=lost`);
    const { attachments } = (await response.json()) as {
      attachments: { node: string; evidence: { kind: string } }[];
    };
    return attachments;
  }

  /** Waits for `/readyz` to say yes. @returns what it took from the start of the process, ms. @throws with what it says otherwise */
  async ready(): Promise<number> {
    let why = '';
    await until(
      () => `${this.name} to be ready: ${why}\n${JSON.stringify(this.log.slice(-5), null, 1)}`,
      READY_TIMEOUT_MS,
      async () => {
        if (this.hasExited) throw new Error(`${this.name} exited: ${this.stderr}`);
        const readiness = await this.readiness().catch((err: Error) => ({ ok: false, why: err.message }));
        why = readiness.why;
        return readiness.ok;
      },
      20,
    );
    return Date.now() - this.#startedAtMs;
  }

  /** Resident memory, MB. */
  residentMb(): number {
    const status = readFileSync(`/proc/${this.#process.pid}/status`, 'utf8');
    return Math.round(Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024);
  }

  /** Kills it, as in a crash. */
  async crash(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#exited;
  }

  /** Stops it as the kubelet does. @returns its exit code, `null` when it had to be killed. */
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
    this.#onLine?.(line, this);
  }
}

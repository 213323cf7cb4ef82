import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { COMPRESSED_FLAGS, type SimWorld, type WorldFiles, worldFlags } from '@reattach/sim-world';

/** A line the controller logged. */
export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** Elections in step with the compressed world. */
const ELECTION_FLAGS = [
  '--leader-election-lease-duration-ms=10000',
  '--leader-election-renew-deadline-ms=5000',
  '--leader-election-retry-period-ms=300',
];

/** The real controller, as a process of its own, composed as in production. */
export class ControllerProcess implements AsyncDisposable {
  readonly name: string;
  readonly #process: ChildProcess;
  readonly #exited: Promise<unknown>;
  #url: string | undefined;

  constructor(
    name: string,
    world: SimWorld,
    files: WorldFiles,
    flags: readonly string[],
    onLine: (line: LogLine, from: ControllerProcess) => void,
  ) {
    this.name = name;
    const main = fileURLToPath(import.meta.resolve('@reattach/controller/main'));
    const args = [
      ...COMPRESSED_FLAGS,
      ...ELECTION_FLAGS,
      ...worldFlags(world, files),
      `--leader-election-identity=${name}`,
      '--leader-election-namespace=kube-system',
      ...flags,
    ];
    const { PATH = '' } = process.env;
    this.#process = spawn(process.execPath, ['--conditions=source', main, ...args], {
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
      onLine(line, this);
    });
  }

  get hasExited(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null;
  }

  /** What `/readyz` says: ready, or why not. */
  async readiness(): Promise<{ readonly ok: boolean; readonly why: string }> {
    if (this.#url === undefined) return { ok: false, why: 'not started' };
    const response = await fetch(`${this.#url}/readyz`);
    const { ok, checks } = (await response.json()) as {
      ok: boolean;
      checks: { ok: boolean; name: string; why: string }[];
    };
    return {
      ok,
      why: checks
        .filter((check) => !check.ok)
        .map(({ name, why }) => `${name}: ${why}`)
        .join('; '),
    };
  }

  /** Gone at once, without a word, as in a crash. */
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
}

function parseLine(text: string): LogLine | undefined {
  try {
    return JSON.parse(text) as LogLine;
  } catch {
    return undefined;
  }
}

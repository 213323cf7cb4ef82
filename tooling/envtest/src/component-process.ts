import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/** Lines of output quoted in an error: a refused flag is in the first lines, everything else in the last. */
const HEAD_LINES = 3;
const TAIL_LINES = 15;

/**
 * One server, run in `folder`. Its output goes to `<name>.log`, so it never waits for this process to read; its process
 * id is in `<name>.pid` exactly while it runs, for the reaper.
 */
export class ComponentProcess {
  readonly #path: string;
  readonly #flags: readonly string[];
  readonly #folder: string;
  readonly name: string;
  #child: ChildProcess | undefined;
  #exited: Promise<void> = Promise.resolve();

  constructor(path: string, flags: readonly string[], folder: string) {
    this.#path = path;
    this.#flags = flags;
    this.#folder = folder;
    this.name = basename(path);
  }

  start(): void {
    const log = openSync(this.#file('log'), 'a');
    const child = spawn(this.#path, this.#flags, { cwd: this.#folder, stdio: ['ignore', log, log] });
    closeSync(log);
    this.#child = child;
    this.#exited = this.#watch(child);
    if (child.pid !== undefined) writeFileSync(this.#file('pid'), `${child.pid}\n`);
  }

  get running(): boolean {
    return this.#child !== undefined;
  }

  /** Ends the process as a crash would, and resolves once it is gone. */
  async kill(): Promise<void> {
    this.#child?.kill('SIGKILL');
    await this.#exited;
  }

  /** Everything it has written since its first start. */
  logs(): string {
    return readFileSync(this.#file('log'), 'utf8');
  }

  /** The first and the last lines of `logs()`. */
  logExcerpt(): string {
    const lines = this.logs().trimEnd().split('\n');
    if (lines.length <= HEAD_LINES + TAIL_LINES) return lines.join('\n');
    return [...lines.slice(0, HEAD_LINES), '...', ...lines.slice(-TAIL_LINES)].join('\n');
  }

  async #watch(child: ChildProcess): Promise<void> {
    try {
      await once(child, 'exit');
    } catch (cause) {
      writeFileSync(this.#file('log'), `${this.#path} could not be started: ${String(cause)}\n`, {
        flag: 'a',
      });
    }
    this.#child = undefined;
    rmSync(this.#file('pid'), { force: true });
  }

  #file(extension: string): string {
    return join(this.#folder, `${this.name}.${extension}`);
  }
}

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** A command that says nothing more for so long hangs, ms. */
const COMMAND_TIMEOUT_MS = 60_000;

/** A shell that a test types into; what a person would see is the transcript. Disposal ends it and what it left running. */
export class ShellSession implements AsyncDisposable {
  readonly #shell: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #marker = `--${crypto.randomUUID()}--`;
  readonly #seen: string[] = [];

  constructor(folder: string, env: Readonly<Record<string, string>>) {
    // A process group of its own, so that background jobs end with it.
    this.#shell = spawn('bash', ['--norc', '--noprofile'], { cwd: folder, env, detached: true });
    const { stdout } = this.#shell;
    if (!stdout) throw new TypeError('Expected a pipe from the shell');
    this.#lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
    this.#write('exec 2>&1');
  }

  /** Everything typed, said and printed so far. */
  get transcript(): string {
    return this.#seen.map((line) => `${line}\n`).join('');
  }

  /** What happens outside of the shell. */
  say(text: string): void {
    this.#seen.push('', `# ${text}`);
  }

  /** Types a command and waits until it is done. @throws {Error} with what it printed when it fails. */
  async run(command: string): Promise<void> {
    this.#seen.push(`$ ${command}`);
    this.#write(`${command}\necho "${this.#marker}$?"`);
    const before = this.#seen.length;
    for (;;) {
      const line = await this.#line(command);
      const [output = '', status] = line.split(this.#marker);
      if (status === undefined || output !== '') this.#seen.push(output);
      if (status === undefined) continue;
      if (status === '0') return;
      throw new Error(`${command} ended with ${status}:\n${this.#seen.slice(before).join('\n')}`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#shell.pid === undefined || this.#shell.exitCode !== null) return;
    const exited = once(this.#shell, 'exit');
    process.kill(-this.#shell.pid, 'SIGKILL');
    await exited;
  }

  async #line(command: string): Promise<string> {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => reject(new Error(`${command} said nothing for ${COMMAND_TIMEOUT_MS} ms:\n${this.transcript}`)),
      COMMAND_TIMEOUT_MS,
    );
    try {
      const { done, value } = await Promise.race([this.#lines.next(), late]);
      if (done === true) throw new Error(`The shell ended in ${command}`);
      return value;
    } finally {
      clearTimeout(timer);
    }
  }

  #write(text: string): void {
    this.#shell.stdin?.write(`${text}\n`);
  }
}

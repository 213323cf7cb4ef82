import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { constants, setPriority } from 'node:os';
import { fileURLToPath } from 'node:url';

interface Question {
  readonly id: number;
  readonly name: string;
  readonly argument: string;
}

interface Answer {
  readonly id: number;
  readonly value: unknown;
}

/** What a forked process can be asked. */
export type Answers = Readonly<Record<string, (argument: string) => unknown>>;

/** Answers the process that forked this one, from now on. */
export function answer(answers: Answers): void {
  const reply = async ({ id, name, argument }: Question): Promise<void> => {
    const value = await answers[name]?.(argument);
    process.send?.({ id, value });
  };
  process.on('message', (question: Question) => void reply(question));
  process.send?.({ id: 0 });
}

/**
 * A process of its own for a simulator, as another machine would be: what it does delays no process that is measured, and, where
 * we may say so (root), the collector's threads of who is measured do not delay it on a machine of two cores.
 */
export class Remote implements AsyncDisposable {
  readonly #child: ChildProcess;
  /** Rejects when the process ends. */
  readonly #ended: Promise<never>;
  readonly #waiting = new Map<number, (value: unknown) => void>();
  #asked = 0;

  private constructor(child: ChildProcess, ended: Promise<never>) {
    this.#child = child;
    this.#ended = ended;
    child.on('message', ({ id, value }: Answer) => {
      this.#waiting.get(id)?.(value);
      this.#waiting.delete(id);
    });
  }

  /** @param module calls `answer()`, which is waited for. */
  static async fork(module: URL): Promise<Remote> {
    const child = fork(fileURLToPath(module), [], { execArgv: ['--conditions=source'] });
    preferred(child.pid ?? 0);
    const ended = once(child, 'exit').then(([code]): never => {
      throw new Error(`${module.href} ended with ${code}`);
    });
    await Promise.race([once(child, 'message'), ended]);
    ended.catch(() => undefined);
    return new Remote(child, ended);
  }

  async ask<T>(name: string, argument = ''): Promise<T> {
    const id = ++this.#asked;
    const { promise, resolve } = Promise.withResolvers<unknown>();
    this.#waiting.set(id, resolve);
    this.#child.send({ id, name, argument } satisfies Question);
    return (await Promise.race([promise, this.#ended])) as T;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null) return;
    this.#child.kill();
    await once(this.#child, 'exit');
  }
}

function preferred(pid: number): void {
  try {
    setPriority(pid, constants.priority.PRIORITY_HIGHEST);
  } catch {
    // only root may
  }
}

/** Now by a clock that all processes share, epoch ms with fractions. */
export function epochMs(): number {
  return performance.timeOrigin + performance.now();
}

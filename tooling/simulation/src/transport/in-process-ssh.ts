import { BackendError, type Dial, type ExecResult, type SshSession } from '@reattach/ssh-transport';
import type { Link } from '../network/link.ts';
import type { StorageServer } from '../storage/storage-server.ts';
import type { SimulatedProcess } from '../time/simulated-process.ts';
import type { SimulationClock } from '../time/simulation-clock.ts';
import type { EffectGate } from './effect-gate.ts';

/** Limits of the real transport, ms. */
const CONNECT_TIMEOUT_MS = 10_000;
const COMMAND_TIMEOUT_MS = 10_000;
/** Three SSH keep-alives of 5 s without an answer. */
const KEEPALIVE_LIMIT_MS = 15_000;

export interface InProcessSshOptions {
  readonly server: StorageServer;
  readonly client: string;
  readonly clock: SimulationClock;
  readonly process: SimulatedProcess;
  readonly link: Link;
  readonly gate: EffectGate;
}

/** A `Dial` over the simulated network: connections are refused, break and go silent as the world says. */
export function inProcessDial(options: InProcessSshOptions): Dial {
  const { clock, process, link, server } = options;
  return async (signal) => {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    using _limit = process.schedule(CONNECT_TIMEOUT_MS, () =>
      reject(new BackendError('TIMEOUT', 'not-applied', `no SSH session within ${CONNECT_TIMEOUT_MS} ms`)),
    );
    if (!link.toServer.blocked) {
      clock.after(link.toServer.delayMs(), () => {
        const accepts = server.up;
        if (link.toClient.blocked || server.isSilent) return;
        process.schedule(link.toClient.delayMs(), () =>
          accepts ? resolve() : reject(new BackendError('UNAVAILABLE', 'not-applied', 'connection refused')),
        );
      });
    }
    try {
      await promise;
      return new InProcessSshSession(options);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  };
}

/** One connection. Commands run one at a time in the order they were asked for; it ends with the first that fails. */
class InProcessSshSession implements SshSession {
  readonly closed: Promise<BackendError>;
  completedCommands = 0;
  readonly #options: InProcessSshOptions;
  readonly #cleanup = new DisposableStack();
  readonly #onClosed: (error: BackendError) => void;
  #queue: Promise<unknown> = Promise.resolve();
  #ended: BackendError | undefined;
  /** Fails the command that is being carried out. */
  #failCurrent: ((error: BackendError) => void) | undefined;
  #silence: Disposable | undefined;

  constructor(options: InProcessSshOptions) {
    this.#options = options;
    const { promise, resolve } = Promise.withResolvers<BackendError>();
    this.closed = promise;
    this.#onClosed = resolve;
    const { link, server, process } = options;
    this.#cleanup.use(link.onChange(() => this.#watchSilence()));
    this.#cleanup.use(
      server.onStop(() =>
        process.schedule(1, () =>
          this.#end(new BackendError('UNAVAILABLE', 'unknown', 'the connection was reset')),
        ),
      ),
    );
  }

  exec(command: string, signal: AbortSignal): Promise<ExecResult> {
    const turn = this.#queue.then(() => {
      signal.throwIfAborted();
      return this.#run(command);
    });
    this.#queue = turn.catch(() => undefined);
    return untilAborted(turn, signal);
  }

  async close(): Promise<void> {
    this.#end(new BackendError('CLOSED', 'not-applied', 'the connection was closed'));
  }

  async #run(command: string): Promise<ExecResult> {
    const { clock, process, link, server, gate, client } = this.#options;
    if (this.#ended) throw new BackendError(this.#ended.code, 'not-applied', this.#ended.detail);
    const sentAtMs = process.clock.now();
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    this.#failCurrent = reject;
    using _limit = process.schedule(COMMAND_TIMEOUT_MS, () =>
      this.#end(new BackendError('TIMEOUT', 'unknown', `no answer within ${COMMAND_TIMEOUT_MS} ms`)),
    );
    gate.pass(server.product.isEffect(command), () => {
      if (link.toServer.blocked) return;
      clock.after(link.toServer.delayMs(), () => {
        const output = server.run(command, client);
        if (output === undefined || link.toClient.blocked) return;
        process.schedule(link.toClient.delayMs(), () => resolve(output));
      });
    });
    const stdout = await promise;
    this.#failCurrent = undefined;
    this.completedCommands += 1;
    return { stdout, exitStatus: 0, sentAtMs, receivedAtMs: process.clock.now() };
  }

  /** A path that is gone is noticed by keep-alives. */
  #watchSilence(): void {
    const { link, process } = this.#options;
    if (link.isWhole) {
      this.#silence?.[Symbol.dispose]();
      this.#silence = undefined;
      return;
    }
    this.#silence ??= process.schedule(KEEPALIVE_LIMIT_MS, () =>
      this.#end(new BackendError('UNAVAILABLE', 'unknown', 'keep-alives were not answered')),
    );
  }

  #end(error: BackendError): void {
    if (this.#ended) return;
    this.#ended = error;
    this.#cleanup.dispose();
    this.#silence?.[Symbol.dispose]();
    this.#failCurrent?.(new BackendError(error.code, 'unknown', error.detail));
    this.#onClosed(error);
  }
}

async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  work.catch(() => undefined); // it may go on after the caller has left
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

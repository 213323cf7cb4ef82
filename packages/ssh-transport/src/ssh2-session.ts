import type { Socket } from 'node:net';
import type { Clock } from '@reattach/core';
import type { Client, ClientChannel } from 'ssh2';
import { BackendError } from './backend-error.ts';
import { FifoQueue } from './fifo-queue.ts';
import type { ExecResult, SshSession } from './ssh-session.ts';
import { translateSshError } from './translate-ssh-error.ts';

/** Largest output of one command, bytes: 5 times that of 1,000 exports and 2,000 sessions, far below the memory of the pod. */
const MAX_OUTPUT_BYTES = 8 * 1024 * 1024;

export interface Ssh2SessionOptions {
  readonly clock: Clock;
  readonly commandTimeoutMs: number;
}

/** A session over a connected ssh2 client. @see SshSession */
export class Ssh2Session implements SshSession {
  readonly closed: Promise<BackendError>;
  readonly #client: Client;
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #commandTimeoutMs: number;
  readonly #queue = new FifoQueue();
  readonly #closed = Promise.withResolvers<BackendError>();
  #end: BackendError | undefined;
  /** Fails the command in progress. */
  #fail: ((reason: BackendError) => void) | undefined;
  #completedCommands = 0;

  /** @param socket the one `client` speaks over */
  constructor(client: Client, socket: Socket, { clock, commandTimeoutMs }: Ssh2SessionOptions) {
    this.#client = client;
    this.#socket = socket;
    this.#clock = clock;
    this.#commandTimeoutMs = commandTimeoutMs;
    this.closed = this.#closed.promise;
    client.on('error', (err) => this.#drop(translateSshError(err, 'unknown')));
    client.on('close', () =>
      this.#drop(new BackendError('UNAVAILABLE', 'unknown', 'the backend closed the connection')),
    );
  }

  get completedCommands(): number {
    return this.#completedCommands;
  }

  exec(command: string, signal: AbortSignal): Promise<ExecResult> {
    return this.#queue.run(() => this.#exec(command), signal);
  }

  async close(): Promise<void> {
    this.#drop(new BackendError('CLOSED', 'unknown', 'the connection was closed'));
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#socket.once('close', resolve);
    if (!this.#socket.closed) await promise;
  }

  /** Ends the connection, once, for this reason; a command in progress fails with it. */
  #drop(reason: BackendError): void {
    if (this.#end) return;
    this.#end = reason;
    this.#client.end();
    this.#socket.destroy(); // a peer that is gone never answers the goodbye
    this.#fail?.(reason);
    this.#closed.resolve(reason);
  }

  async #exec(command: string): Promise<ExecResult> {
    if (this.#end)
      throw new BackendError(this.#end.code, 'not-applied', this.#end.detail, { cause: this.#end });
    const sentAtMs = this.#clock.now();
    const { promise, resolve, reject } = Promise.withResolvers<Collected>();
    using _limit = this.#clock.after(this.#commandTimeoutMs, () =>
      reject(new BackendError('TIMEOUT', 'unknown', `no answer within ${this.#commandTimeoutMs} ms`)),
    );
    this.#fail = reject;
    try {
      this.#send(command, resolve, reject);
      const collected = await promise;
      this.#completedCommands += 1;
      return { ...collected, sentAtMs, receivedAtMs: this.#clock.now() };
    } catch (cause) {
      const error = translateSshError(cause, 'unknown');
      this.#drop(error);
      throw error;
    } finally {
      this.#fail = undefined;
    }
  }

  #send(
    command: string,
    resolve: (collected: Collected) => void,
    reject: (reason: BackendError) => void,
  ): void {
    try {
      this.#client.exec(command, (err, channel) => {
        if (err) reject(translateSshError(err, 'unknown'));
        else collect(channel, resolve, reject);
      });
    } catch (cause) {
      reject(translateSshError(cause, 'not-applied')); // it throws at once when the connection is gone
    }
  }
}

type Collected = Pick<ExecResult, 'stdout' | 'exitStatus'>;

function collect(
  channel: ClientChannel,
  resolve: (collected: Collected) => void,
  reject: (reason: BackendError) => void,
): void {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  channel.on('data', (chunk: Uint8Array) => {
    bytes += chunk.length;
    if (bytes > MAX_OUTPUT_BYTES) {
      chunks.length = 0;
      reject(new BackendError('MALFORMED', 'unknown', `the output is longer than ${MAX_OUTPUT_BYTES} bytes`));
    } else chunks.push(chunk);
  });
  channel.stderr.resume(); // RouterOS never uses it; unread, it would block the channel
  channel.on('error', (err: unknown) => reject(translateSshError(err, 'unknown')));
  // Without an exit status the channel was cut: the output may look whole and be short.
  channel.on('close', (exitStatus: number | null | undefined) => {
    if (typeof exitStatus === 'number') resolve({ stdout: Buffer.concat(chunks), exitStatus });
    else reject(new BackendError('INCOMPLETE', 'unknown', 'the command ended without an exit status'));
  });
}

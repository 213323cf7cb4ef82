import ssh2, { type Client } from 'ssh2';
import type { Credentials, RdsSim } from './rds-sim.ts';

/** How a command ended. `status` is `undefined` when none was sent. */
export interface ExecResult {
  readonly output: string;
  readonly errorOutput: string;
  readonly status: number | undefined;
}

/** A plain SSH client, for tests of the server. */
export class SshClient implements AsyncDisposable {
  readonly #client: Client;
  readonly #closed: Promise<void>;

  /** @throws what ssh2 reports when the connection or the log-in fails. */
  static async connect(
    sim: RdsSim,
    credentials: Pick<Credentials, 'username' | 'privateKey'> = sim.credentials,
  ): Promise<SshClient> {
    const client = new ssh2.Client();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    client.once('ready', resolve);
    client.on('error', reject);
    client.once('close', () => reject(new Error('closed')));
    client.on('connect', () => client.setNoDelay(true));
    client.connect({ host: sim.host, port: sim.port, ...credentials, readyTimeout: 0 });
    await promise;
    return new SshClient(client);
  }

  private constructor(client: Client) {
    this.#client = client;
    const { promise, resolve } = Promise.withResolvers<void>();
    client.once('close', resolve);
    this.#closed = promise;
  }

  /** Settles when the connection is gone. */
  get closed(): Promise<void> {
    return this.#closed;
  }

  async exec(command: string): Promise<ExecResult> {
    const { promise, resolve, reject } = Promise.withResolvers<ExecResult>();
    this.#client.exec(command, (err, channel) => {
      if (err) {
        reject(err);
        return;
      }
      const output: Buffer[] = [];
      const errorOutput: Buffer[] = [];
      let status: number | undefined;
      channel.on('data', (chunk: Buffer) => output.push(chunk));
      channel.stderr.on('data', (chunk: Buffer) => errorOutput.push(chunk));
      channel.once('exit', (code: number | null) => {
        status = code ?? undefined;
      });
      channel.once('close', () =>
        resolve({
          output: Buffer.concat(output).toString(),
          errorOutput: Buffer.concat(errorOutput).toString(),
          status,
        }),
      );
    });
    return await promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client.end();
    await this.#closed;
  }
}

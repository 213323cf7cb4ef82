import { Client, type ClientChannel } from 'ssh2';

/** A root shell on a guest, over the control network. Commands run one after another or at once. */
export class GuestShell implements Disposable {
  readonly #client: Client;
  readonly #host: string;

  private constructor(client: Client, host: string) {
    this.#client = client;
    this.#host = host;
  }

  static open(host: string, privateKey: Buffer, username = 'root'): Promise<GuestShell> {
    const client = new Client();
    return new Promise((resolve, reject) => {
      client.on('error', reject); // kept: an error after the connection is up ends its commands, not the process
      client.on('ready', () => resolve(new GuestShell(client, host)));
      client.connect({ host, username, privateKey, readyTimeout: 60_000, keepaliveInterval: 0 });
    });
  }

  /** @returns standard output. @throws when the command fails: the message has its output */
  async run(command: string): Promise<string> {
    const { code, stdout, stderr } = await this.tryRun(command);
    if (code === 0) return stdout;
    throw new Error(`${this.#host}: ${command}: exit code ${String(code)}: ${stderr || stdout}`);
  }

  tryRun(
    command: string,
  ): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
    return new Promise((resolve, reject) => {
      this.#client.exec(command, (err: Error | undefined, channel: ClientChannel) => {
        if (err) return reject(err);
        let stdout = '';
        let stderr = '';
        channel.end(); // no command of the lab reads from standard input
        channel.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
        channel.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
        channel.on('close', (code: number | null) => resolve({ code, stdout, stderr }));
      });
    });
  }

  /** Starts a command that outlives this connection. */
  async start(command: string): Promise<void> {
    await this.run(`setsid ${command} </dev/null >/dev/null 2>&1 &`);
  }

  [Symbol.dispose](): void {
    this.#client.destroy();
  }
}

import { type Clock, delay, systemClock } from '@reattach/core';
import { CommandLog } from './command-log.ts';
import { Device, type DeviceOptions } from './device/device.ts';
import { DEFAULT_DIALECT, type Dialect } from './dialect.ts';
import { Faults } from './faults.ts';
import { MenuTree } from './menu/menu-tree.ts';
import type { Oracle } from './nvme/oracle.ts';
import { runScript } from './script/interpreter.ts';
import { fingerprintOf, generateKeyPair, publicKeyOf } from './ssh/key-pair.ts';
import { type Reply, spoil } from './ssh/reply.ts';
import { type ExecRequest, SshServer } from './ssh/ssh-server.ts';
import type { SimUser } from './ssh/user.ts';

export interface RdsSimOptions extends Omit<DeviceOptions, 'clock'>, Partial<Dialect> {
  /** Default: the machine's. */
  readonly clock?: Clock;
  /** Where SSH listens; default 127.0.0.1. */
  readonly host?: string;
  /** Default 0: a free one. */
  readonly port?: number;
  /** OpenSSH PEM; default: a new ed25519 key. */
  readonly hostKey?: string;
  /** Who may log in; default: the one of `credentials`. */
  readonly users?: readonly SimUser[];
  /** How long every command takes, ms of the clock; default 0. */
  readonly latencyMs?: number;
  /** Open SSH connections; one more is closed after its log-in. Default 20, as RouterOS'. */
  readonly maxSessions?: number;
  /** A longer command is refused, bytes; default 1 024. The limit of a real device is unknown. */
  readonly maxCommandBytes?: number;
  /** Keeps the model in step with a real machine, around every command. */
  readonly mirror?: Mirror;
  /** Answers commands in place of RouterOS: the same data plane behind another product. */
  readonly answer?: (device: Device) => (command: string) => string;
  /** Commands kept in `commands`; default 10 000. */
  readonly commandLogLimit?: number;
}

/** The real machine behind the model. */
export interface Mirror {
  /** Brings what the machine knows into the model, before a command reads it. */
  pull(device: Device): Promise<void>;
  /** Brings what a command changed to the machine, before its reply is sent. */
  push(device: Device): Promise<void>;
}

/** How a client logs in. */
export interface Credentials {
  readonly username: string;
  /** OpenSSH PEM. */
  readonly privateKey: string;
  /** OpenSSH line. */
  readonly publicKey: string;
}

/** Text is wrapped for a terminal of this width where there is none. */
const EXEC_COLUMNS = 80;

/** A RouterOS device on loopback: an SSH server over a model of disks, firewall, connection tracking and NVMe/TCP hosts. */
export class RdsSim implements AsyncDisposable {
  readonly device: Device;
  readonly faults: Faults;
  readonly commands: CommandLog;
  readonly host: string;
  /** OpenSSH line. */
  readonly hostKey: string;
  /** `SHA256:...` */
  readonly hostKeyFingerprint: string;
  readonly #clock: Clock;
  readonly #dialect: Dialect;
  readonly #tree: MenuTree;
  readonly #server: SshServer;
  readonly #credentials: Credentials | undefined;
  readonly #latencyMs: number;
  readonly #maxCommandBytes: number;
  readonly #mirror: Mirror | undefined;
  readonly #answer: ((command: string) => string) | undefined;
  readonly #timers = new Set<Disposable>();
  #reboot: Disposable | undefined;

  /** A simulator that listens. */
  static async start(options: RdsSimOptions = {}): Promise<RdsSim> {
    const sim = new RdsSim(options);
    await sim.#server.listen();
    return sim;
  }

  private constructor(options: RdsSimOptions) {
    this.#clock = options.clock ?? systemClock;
    this.#dialect = { ...DEFAULT_DIALECT, ...options };
    this.#latencyMs = options.latencyMs ?? 0;
    this.#mirror = options.mirror;
    this.#maxCommandBytes = options.maxCommandBytes ?? 1_024;
    this.#credentials = options.users ? undefined : { username: 'reattach', ...generateKeyPair() };
    const users = options.users ?? [
      { name: this.#credentials?.username ?? '', publicKeys: [this.#credentials?.publicKey ?? ''] },
    ];
    const maxSessions = options.maxSessions ?? 20;
    const hostKey = options.hostKey ?? generateKeyPair().privateKey;
    this.host = options.host ?? '127.0.0.1';
    this.hostKey = publicKeyOf(hostKey);
    this.hostKeyFingerprint = fingerprintOf(this.hostKey);
    this.device = new Device({ ...options, clock: this.#clock });
    this.#answer = options.answer?.(this.device);
    this.commands = new CommandLog(options.commandLogLimit ?? 10_000);
    this.faults = new Faults({
      refuseConnections: () => this.#server.close(),
      acceptConnections: () => this.#server.listen(),
      dropConnections: () => this.#server.dropConnections(),
      freezeConnections: () => this.#server.freeze(),
      reboot: (downMs) => this.#rebootDevice(downMs),
      jumpClock: (deltaMs) => {
        this.device.clockOffsetMs += deltaMs;
      },
      after: (delayMs, fn) => this.#after(delayMs, fn),
    });
    this.#server = new SshServer({
      host: this.host,
      port: options.port ?? 0,
      hostKey,
      users,
      maxSessions,
      faults: () => this.faults,
      log: (topics, message) => this.device.log.add(topics, message),
      exec: (request) => this.#exec(request),
    });
    this.#tree = new MenuTree({
      device: this.device,
      clock: this.#clock,
      dialect: this.#dialect,
      users: () => users.map(({ name, readOnly }) => ({ name, group: readOnly ? 'read' : 'full' })),
      ssh: () => ({ port: this.#server.port, maxSessions, remotes: this.#server.remotes }),
    });
  }

  get port(): number {
    return this.#server.port;
  }

  /** What hosts have written, and whether any of it must not have been accepted. */
  get oracle(): Oracle {
    return this.device.oracle;
  }

  /** SSH connections that have logged in. */
  get openSessions(): number {
    return this.#server.sessions;
  }

  /** The generated user. @throws {TypeError} when `users` were given. */
  get credentials(): Credentials {
    if (!this.#credentials)
      throw new TypeError(
        'credentials: expected no option users, because only then is there a generated key',
      );
    return this.#credentials;
  }

  /** Carries out a command line without SSH; what it prints. */
  run(text: string): string {
    return this.#run(text, false, EXEC_COLUMNS).output;
  }

  /** Idempotent; settles when all sockets and timers are gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const timer of this.#timers) timer[Symbol.dispose]();
    this.device[Symbol.dispose]();
    await this.#server.close();
  }

  async #exec(request: ExecRequest): Promise<Reply | undefined> {
    const { text, user, login, signal } = request;
    this.commands.add({ atMs: this.#clock.now(), user: user.name, connection: request.connection, text });
    const fault = this.faults.takeCommandFault(text);
    const skipped = (fault?.kind === 'hang' || fault?.kind === 'replace') && !fault.applied;
    try {
      if (this.#latencyMs > 0) await delay(this.#clock, this.#latencyMs, signal);
      if (fault?.kind === 'slow') {
        await delay(fault.by === 'real' ? systemClock : this.#clock, fault.delayMs, signal);
      }
    } catch (err) {
      if (err === signal.reason) return undefined;
      throw err;
    }
    await this.#mirror?.pull(this.device);
    const result = skipped
      ? ({ outcome: 'done', output: '' } as const)
      : this.#run(text, user.readOnly ?? false, login.widthColumns ?? EXEC_COLUMNS);
    await this.#mirror?.push(this.device);
    const reply: Reply = {
      bytes: Buffer.from(result.output),
      end: result.outcome === 'hang' ? 'open' : 'exit',
      status: result.outcome === 'failed' ? this.#dialect.errorExitStatus : 0,
    };
    return spoil(reply, fault);
  }

  #run(text: string, readOnly: boolean, widthColumns: number): ReturnType<typeof runScript> {
    if (this.#answer) return { outcome: 'done', output: this.#answer(text) };
    if (Buffer.byteLength(text) > this.#maxCommandBytes) {
      return { outcome: 'failed', output: 'failure: maximum message size exceeded\r\n' };
    }
    return runScript(text, this.#dialect, {
      tree: this.#tree,
      dialect: this.#dialect,
      mayWrite: !readOnly,
      widthColumns,
      log: (topics, message) => this.device.log.add(topics, message),
    });
  }

  async #rebootDevice(downMs: number): Promise<void> {
    this.#reboot?.[Symbol.dispose]();
    this.device.stop();
    if (downMs === 0) {
      this.#server.dropConnections();
      this.device.boot();
      await this.#server.listen(); // an earlier reboot may have closed the port
      return;
    }
    this.#reboot = this.#after(downMs, () => {
      this.device.boot();
      void this.#server.listen();
    });
    await this.#server.close();
  }

  /** A timer that does not outlive the simulator. */
  #after(delayMs: number, fn: () => void): Disposable {
    const timer = this.#clock.after(delayMs, () => {
      this.#timers.delete(handle);
      fn();
    });
    const handle = {
      [Symbol.dispose]: () => {
        this.#timers.delete(handle);
        timer[Symbol.dispose]();
      },
    };
    this.#timers.add(handle);
    return handle;
  }
}

import { createServer, type Server as NetServer, type Socket } from 'node:net';
import ssh2, { type Connection, type Server, type ServerChannel, type Session } from 'ssh2';
import type { Faults } from '../faults.ts';
import type { Reply } from './reply.ts';
import { type Login, parseLogin, provesKey, type SimUser } from './user.ts';

/** A command to be carried out. */
export interface ExecRequest {
  readonly user: SimUser;
  readonly login: Login;
  /** Counts connections from 1. */
  readonly connection: number;
  readonly text: string;
  /** Aborts when the connection is gone. */
  readonly signal: AbortSignal;
}

export interface SshServerOptions {
  readonly host: string;
  /** 0: one that is free. */
  readonly port: number;
  /** OpenSSH PEM. */
  readonly hostKey: string;
  readonly users: readonly SimUser[];
  readonly maxSessions: number;
  readonly faults: () => Faults;
  readonly log: (topics: string, message: string) => void;
  /** `undefined`: the connection has gone meanwhile. */
  readonly exec: (request: ExecRequest) => Promise<Reply | undefined>;
}

/** The SSH server: real protocol, public keys only, `exec` only. */
export class SshServer {
  readonly #options: SshServerOptions;
  readonly #ssh: Server;
  readonly #sockets = new Set<Socket>();
  #net: NetServer | undefined;
  #port: number;
  #frozen = false;
  #connections = 0;
  #sessions = 0;

  constructor(options: SshServerOptions) {
    this.#options = options;
    this.#port = options.port;
    this.#ssh = new ssh2.Server({ hostKeys: [options.hostKey], ident: 'ROSSSH' }, (connection, { port }) =>
      this.#accept(connection, port),
    );
  }

  get port(): number {
    return this.#port;
  }

  /** Open connections that have logged in. */
  get sessions(): number {
    return this.#sessions;
  }

  /** Remote ends of the open connections, `127.0.0.1:51515`. */
  get remotes(): readonly string[] {
    return [...this.#sockets].map(
      ({ remoteAddress = '', remotePort = 0 }) => `${remoteAddress}:${remotePort}`,
    );
  }

  /** Listens, on the same port each time. */
  async listen(): Promise<void> {
    if (this.#net) return;
    const server = createServer((socket) => this.#socket(socket));
    this.#net = server;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once('error', reject);
    server.listen(this.#port, this.#options.host, resolve);
    await promise;
    const address = server.address();
    if (address !== null && typeof address === 'object') this.#port = address.port;
  }

  /** Stops listening and resets all connections; settles when they are gone. */
  async close(): Promise<void> {
    const server = this.#net;
    this.#net = undefined;
    const { promise, resolve } = Promise.withResolvers<void>();
    if (server) server.close(() => resolve());
    else resolve();
    this.dropConnections();
    await promise;
  }

  dropConnections(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** Reads nothing from any connection until disposal. */
  freeze(): Disposable {
    this.#frozen = true;
    for (const socket of this.#sockets) socket.pause();
    return {
      [Symbol.dispose]: () => {
        this.#frozen = false;
        for (const socket of this.#sockets) socket.resume();
      },
    };
  }

  #socket(socket: Socket): void {
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => undefined); // the simulator resets connections on purpose
    socket.once('close', () => this.#sockets.delete(socket));
    const fault = this.#options.faults().takeConnectionFault('reset', 'silent');
    if (fault === 'reset') socket.resetAndDestroy();
    else if (fault === undefined && !this.#frozen) this.#ssh.injectSocket(socket);
  }

  #accept(connection: Connection, remotePort: number): void {
    this.#connections += 1;
    const number = this.#connections;
    const gone = new AbortController();
    let user: SimUser | undefined;
    let login: Login = { name: '', widthColumns: undefined };
    connection.on('error', () => undefined); // what a client that goes away causes; `close` follows
    connection.on('authentication', (context) => {
      login = parseLogin(context.username);
      user = this.#options.users.find(({ name }) => name === login.name);
      if (context.method !== 'publickey') {
        context.reject(['publickey']);
        return;
      }
      const refused = context.signature && this.#options.faults().takeConnectionFault('auth') !== undefined;
      if (!refused && user && provesKey(context, user)) context.accept();
      else {
        this.#options.log('system,error,critical', `login failure for user ${login.name} via ssh`);
        context.reject(['publickey']);
      }
    });
    connection.once('ready', () => {
      this.#sessions += 1;
      const limited = this.#options.faults().takeConnectionFault('session-limit') !== undefined;
      if (limited || this.#sessions > this.#options.maxSessions) connection.end();
      else this.#options.log('system,info,account', `user ${login.name} logged in via ssh`);
      connection.once('close', () => {
        this.#sessions -= 1;
      });
    });
    connection.on('session', (accept, reject) => {
      if (!user || this.#options.faults().takeConnectionFault('channel')) reject();
      else this.#session(accept(), { user, login, connection: number, signal: gone.signal }, remotePort);
    });
    connection.once('close', () => gone.abort());
  }

  #session(session: Session, who: Omit<ExecRequest, 'text'>, remotePort: number): void {
    session.on('pty', (accept) => accept());
    session.on('env', (accept) => accept?.());
    session.on('shell', (accept) => {
      const channel = accept();
      channel.write('This device answers commands only: ssh ... /system/resource/print\r\n');
      channel.exit(1);
      channel.end();
    });
    session.on('exec', (accept, _reject, { command }) => {
      const channel = accept();
      channel.on('error', () => undefined); // the client closed it first
      void this.#exec(channel, { ...who, text: command }, remotePort);
    });
  }

  async #exec(channel: ServerChannel, request: ExecRequest, remotePort: number): Promise<void> {
    const reply = await this.#options.exec(request);
    if (!reply || request.signal.aborted) return;
    if (reply.end === 'reset') {
      const socket = [...this.#sockets].find((candidate) => candidate.remotePort === remotePort);
      const reset = () => setImmediate(() => socket?.resetAndDestroy()); // lets what was written leave first
      if (reply.bytes.length > 0) channel.write(reply.bytes, reset);
      else reset();
      return;
    }
    if (reply.bytes.length > 0) channel.write(reply.bytes);
    if (reply.end === 'open') return;
    if (reply.end === 'exit') channel.exit(reply.status);
    channel.end();
  }
}

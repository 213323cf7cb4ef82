import { connect } from 'node:net';
import type { Clock } from '@reattach/core';
import ssh2, { type ConnectConfig } from 'ssh2';
import { BackendError } from './backend-error.ts';
import { fingerprintOf, type HostKeyPin } from './host-key-pin.ts';
import { sshAlgorithms } from './ssh-algorithms.ts';
import type { Dial } from './ssh-session.ts';
import { Ssh2Session } from './ssh2-session.ts';
import { translateSshError } from './translate-ssh-error.ts';

/** Time from the first packet to a session that may run commands, ms. */
const CONNECT_TIMEOUT_MS = 10_000;

/** SSH keep-alive: a backend that answers none of three in a row is gone. A refusal of the request is an answer, too. */
const KEEPALIVE_INTERVAL_MS = 5_000;
const KEEPALIVE_COUNT_MAX = 3;

export interface SshOptions {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** OpenSSH or PEM, ed25519 or RSA (RouterOS refuses ECDSA keys). */
  readonly privateKey: string;
  readonly passphrase?: string;
  readonly hostKey: HostKeyPin;
  /** Longest time one command may take, ms. */
  readonly commandTimeoutMs: number;
  readonly clock: Clock;
}

/**
 * A {@link Dial} over ssh2.
 * @throws {BackendError} BAD_CONFIG when the private key cannot be read or is of a kind that RouterOS refuses
 */
export function createSshDial(options: SshOptions): Dial {
  checkPrivateKey(options);
  return (signal) => dial(options, signal);
}

function checkPrivateKey({ privateKey, passphrase }: SshOptions): void {
  const parsed = ssh2.utils.parseKey(privateKey, passphrase);
  const key = Array.isArray(parsed) ? parsed[0] : parsed;
  if (key === undefined || key instanceof Error || !key.isPrivateKey()) {
    const why = key instanceof Error ? key.message : 'it is a public key';
    throw new BackendError('BAD_CONFIG', 'not-applied', `Private key cannot be used: ${why}`);
  }
  if (key.type !== 'ssh-ed25519' && key.type !== 'ssh-rsa') {
    throw new BackendError(
      'BAD_CONFIG',
      'not-applied',
      `Private key is ${key.type}; RouterOS takes ed25519 and RSA`,
    );
  }
}

async function dial(options: SshOptions, signal: AbortSignal): Promise<Ssh2Session> {
  signal.throwIfAborted();
  const { clock, commandTimeoutMs, hostKey } = options;
  const client = new ssh2.Client();
  const { host, port } = options;
  const socket = connect({
    host,
    port,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: KEEPALIVE_INTERVAL_MS,
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let shown: string | undefined;
  const hostVerifier = (key: Buffer): boolean => {
    if (hostKey.matches(key)) return true;
    shown = fingerprintOf(key);
    return false;
  };
  const onAbort = () => reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  using _limit = clock.after(CONNECT_TIMEOUT_MS, () =>
    reject(new BackendError('TIMEOUT', 'not-applied', `no SSH session within ${CONNECT_TIMEOUT_MS} ms`)),
  );
  client.on('ready', () => resolve());
  client.on('error', reject);
  client.on('close', () =>
    reject(new BackendError('UNAVAILABLE', 'not-applied', 'the backend closed the connection')),
  );
  try {
    client.connect({ ...connectConfig(options, hostVerifier), sock: socket });
  } catch (cause) {
    reject(cause);
  }
  try {
    await promise;
    return new Ssh2Session(client, socket, { clock, commandTimeoutMs });
  } catch (cause) {
    socket.destroy();
    signal.throwIfAborted();
    if (shown === undefined) throw handshakeError(cause, hostKey);
    const text = `the backend shows host key ${shown}, pinned is ${hostKey.fingerprint}`;
    throw new BackendError('BAD_HOST_KEY', 'not-applied', text, { cause });
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

function connectConfig(options: SshOptions, hostVerifier: (key: Buffer) => boolean): ConnectConfig {
  const { user, privateKey, passphrase, hostKey } = options;
  return {
    username: user,
    privateKey,
    ...(passphrase !== undefined && { passphrase }),
    hostVerifier,
    algorithms: sshAlgorithms(hostKey),
    readyTimeout: 0, // the clock's limit holds
    keepaliveInterval: KEEPALIVE_INTERVAL_MS,
    keepaliveCountMax: KEEPALIVE_COUNT_MAX,
    authHandler: ['publickey'],
  };
}

/** A backend without a host key of the pinned type, or that cannot sign with it, is not the pinned backend. */
function handshakeError(cause: unknown, { keyType, fingerprint }: HostKeyPin): BackendError {
  const message = cause instanceof Error ? cause.message : '';
  if (message.includes('no matching host key format')) {
    const type = keyType ?? 'an accepted type (ed25519, ECDSA, or RSA with SHA-2)';
    const text = `the backend has no host key of ${type}, pinned is ${fingerprint}`;
    return new BackendError('BAD_HOST_KEY', 'not-applied', text, { cause });
  }
  if (/signature verification failed|Wrong signature type/i.test(message)) {
    const text = `the backend shows host key ${fingerprint}, but its signature is not of that key`;
    return new BackendError('BAD_HOST_KEY', 'not-applied', text, { cause });
  }
  return translateSshError(cause, 'not-applied');
}

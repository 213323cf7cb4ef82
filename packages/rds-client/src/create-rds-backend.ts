import { BlockList, isIP } from 'node:net';
import type { BackendHistory, Clock, Logger } from '@reattach/core';
import { BackendError, createSshDial, parseHostKeyPin } from '@reattach/ssh-transport';
import { assembleRdsBackend } from './assemble-rds-backend.ts';
import { DEFAULT_IDLE_POLL_MS } from './default-idle-poll.ts';
import type { RdsBackend } from './rds-backend.ts';

/** One backend. */
export interface RdsBackendOptions {
  /** For logs, spans, metrics and people; unique among the backends. */
  readonly name: string;
  /** SSH address of the backend. */
  readonly host: string;
  /** SSH port; default 22. */
  readonly port?: number;
  /** A user with group policy `ssh,read,test`, and `write` where nodes are to be fenced. */
  readonly user: string;
  /** Private key of the user, OpenSSH or PEM text, ed25519 or RSA. */
  readonly privateKey: string;
  /** Of the private key. */
  readonly passphrase?: string;
  /** The pinned host key: an OpenSSH public key, a known_hosts line or a `SHA256:` fingerprint. */
  readonly hostKey: string;
  /** Addresses volumes name this backend by; default: `host`. */
  readonly storageAddresses?: readonly string[];
  /** A session younger than this is live, ms; default 15,000: three NVMe keep-alives of 5 s. */
  readonly activityWindowMs?: number;
  /** Time between two readings without a request, ms; default 4,000 ({@link DEFAULT_IDLE_POLL_MS}). */
  readonly idlePollMs?: number;
  /** How long the write counters of its single-writer volumes must have stood still, ms; default 2,000. */
  readonly writesStillMs?: number;
  /** Longest time for which sessions of a fenced node may stay open before a person is asked, ms; default 300,000. */
  readonly maxQuiesceMs?: number;
  /** Addresses and prefixes of hosts that are not nodes of this cluster, such as those of another cluster; default: none. */
  readonly foreignAddresses?: readonly string[];
  /** Keeps what is learned about hosts beyond the process; default: nothing does. */
  readonly history?: BackendHistory;
  /** Longest time one command may take, ms; default 10,000. */
  readonly commandTimeoutMs?: number;
  readonly clock: Clock;
  /** A number in [0, 1) for the jitter of reconnects; default `Math.random`. */
  readonly random?: () => number;
  /** Default: silent. */
  readonly logger?: Logger;
}

const DEFAULTS = {
  port: 22,
  activityWindowMs: 15_000,
  idlePollMs: DEFAULT_IDLE_POLL_MS,
  writesStillMs: 2_000,
  maxQuiesceMs: 300_000,
  commandTimeoutMs: 10_000,
} as const;

/**
 * A backend that is not connected yet; `start(signal)` it.
 * @throws {BackendError} BAD_CONFIG naming the option and what was expected
 */
export function createRdsBackend(options: RdsBackendOptions): RdsBackend {
  const { name, host, user, clock, privateKey, passphrase, storageAddresses = [host] } = options;
  const port = within(options, 'port', 1, 65_535);
  const commandTimeoutMs = within(options, 'commandTimeoutMs', 1, 600_000);
  const activityWindowMs = within(options, 'activityWindowMs', 1, 3_600_000);
  const idlePollMs = within(options, 'idlePollMs', 1, 3_600_000);
  for (const [key, value] of Object.entries({ name, host, user })) {
    if (value === '') throw badConfig(key, 'must not be empty');
  }
  const dial = createSshDial({
    host,
    port,
    user,
    privateKey,
    ...(passphrase !== undefined && { passphrase }),
    hostKey: parseHostKeyPin(options.hostKey),
    commandTimeoutMs,
    clock,
  });
  const maxQuiesceMs = within(options, 'maxQuiesceMs', 1, 3_600_000);
  const writesStillMs = within(options, 'writesStillMs', 1, 3_600_000);
  return assembleRdsBackend({
    ...options,
    storageAddresses,
    port,
    activityWindowMs,
    idlePollMs,
    writesStillMs,
    maxQuiesceMs,
    isForeign: foreignHosts(options.foreignAddresses ?? []),
    dial,
  });
}

type NumberOption = keyof typeof DEFAULTS;

function within(options: RdsBackendOptions, key: NumberOption, min: number, max: number): number {
  const value = options[key] ?? DEFAULTS[key];
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw badConfig(key, `must be an integer from ${min} to ${max}, not ${value}`);
}

/** @throws {BackendError} BAD_CONFIG naming the entry that is neither an address nor a prefix */
function foreignHosts(entries: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const entry of entries) {
    const [address = '', prefix] = entry.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    const bits = prefix === undefined ? (family === 'ipv6' ? 128 : 32) : Number(prefix);
    if (isIP(address) === 0 || !/^\d{1,3}$/.test(prefix ?? '0') || bits > (family === 'ipv6' ? 128 : 32))
      throw badConfig('foreignAddresses', `must hold addresses and prefixes, not ${JSON.stringify(entry)}`);
    list.addSubnet(address, bits, family);
  }
  return (address) => list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}

function badConfig(key: string, problem: string): BackendError {
  return new BackendError('BAD_CONFIG', 'not-applied', `Option ${key} ${problem}`);
}

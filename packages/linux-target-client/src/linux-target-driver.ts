import {
  type BackendCapabilities,
  type Clock,
  type Enforcement,
  type Fence,
  type FenceRecord,
  type PersistentVolumeFact,
  type StorageAddress,
  type StorageQuery,
  type StorageReading,
  type VolumeClaim,
} from '@reattach/core';
import { type BackendDriver, BackendError, type SshSession } from '@reattach/ssh-transport';
import {
  type BackendState,
  canonicalIp,
  foldFences,
  foldReading,
  forgetFence,
  formatHistory,
  INITIAL_STATE,
  interpretReading,
  NO_FENCES,
  parseHistory,
  type TcpReading,
  withHistory,
} from '@reattach/tcp-evidence';
import { fenceEntries } from './fence-entries.ts';
import { formatRecord, parseRecords } from './reply/fence-lines.ts';
import { parseFenceTable } from './reply/fence-table.ts';
import type { Reply } from './reply/reply.ts';
import type { TargetClient } from './target-client.ts';
import { parseContent, type TargetContent, type TargetSnapshot } from './target-snapshot.ts';
import { tcpReadingOf } from './tcp-reading-of.ts';
import { claimOf, findExport, type VolumeNaming } from './volume-names.ts';

export interface LinuxTargetDriverOptions {
  readonly name: string;
  readonly client: TargetClient;
  readonly clock: Clock;
  /** Addresses by which volumes name the target, canonical. */
  readonly storageAddresses: ReadonlySet<string>;
  /** Ports that are read and fenced beside those that nvmet serves. */
  readonly ports: readonly number[];
  readonly naming: VolumeNaming;
  /** A host that spoke within it is live, ms. */
  readonly activityWindowMs: number;
  /** How long write counters must have stood still at the end of a quiesce, ms. */
  readonly writesStillMs: number;
}

/** A Linux NVMe/TCP target: evidence from its own sockets, fences in an nft set of its own. */
export class LinuxTargetDriver implements BackendDriver {
  readonly kind = 'linux-nvmet';
  readonly capabilities: BackendCapabilities = { addressKinds: ['ip'], canFence: true };
  readonly #options: LinuxTargetDriverOptions;
  /** Replaced whole by each reading, so that concurrent readings share nothing that changes. */
  #state: BackendState = INITIAL_STATE;
  #fences = NO_FENCES;
  #lastContent: TargetContent | undefined;

  constructor(options: LinuxTargetDriverOptions) {
    this.#options = options;
  }

  /** Everything the last reading found, for doctor. */
  get lastContent(): TargetContent | undefined {
    return this.#lastContent;
  }

  claimOf(volume: PersistentVolumeFact): VolumeClaim {
    return claimOf(volume, this.#options.naming, this.#options.storageAddresses);
  }

  describe(): string | undefined {
    return this.#lastContent && `Linux ${this.#lastContent.facts.kernel}`;
  }

  history(): string {
    return formatHistory(this.#state);
  }

  restore(history: string): void {
    this.#state = withHistory(this.#state, parseHistory(history));
  }

  async read(session: SshSession, query: StorageQuery, signal: AbortSignal): Promise<StorageReading> {
    const ports = this.#options.ports.length > 0 ? [`ports=${this.#options.ports.join(',')}`] : [];
    const snapshot = await this.#options.client.run(session, 'read', ports, signal, parseContent);
    this.#lastContent = snapshot.value;
    return this.#interpret(query, snapshot);
  }

  async fence(
    session: SshSession,
    record: FenceRecord,
    addresses: readonly StorageAddress[],
    signal: AbortSignal,
  ): Promise<boolean> {
    const values = addresses.map(ipOnly);
    const ports = this.#portsToFence();
    const words = [`ports=${ports.join(',')}`, `addresses=${values.join(',')}`, ...storable(record)];
    const { client, name } = this.#options;
    const { value } = await client.run(session, 'fence', words, signal, parseChange);
    const dropped = value.table.problem === undefined && ports.every((port) => value.table.ports.has(port));
    const missing = values.filter(
      (address) =>
        !dropped ||
        !value.table.addresses.has(address) ||
        !value.records.some(
          ({ id, addresses: listed }) => id === record.id && listed.some((each) => each.value === address),
        ),
    );
    if (missing.length > 0) {
      const why = value.table.problem ?? `${missing.join(', ')} is not in the table`;
      throw new BackendError(
        'NOT_FENCED',
        'unknown',
        `backend ${name} does not show fence ${record.id}: ${why}`,
      );
    }
    return value.entries > 0;
  }

  async unfence(session: SshSession, fence: Fence, signal: AbortSignal): Promise<boolean> {
    const { client, name } = this.#options;
    const { value } = await client.run(session, 'unfence', [`id=${fence.id}`], signal, parseChange);
    if (value.records.some(({ id }) => id === fence.id)) {
      throw new BackendError('STILL_FENCED', 'unknown', `backend ${name} still shows fence ${fence.id}`);
    }
    this.#fences = forgetFence(this.#fences, fence.id);
    return value.entries > 0;
  }

  #interpret(query: StorageQuery, snapshot: TargetSnapshot): StorageReading {
    const { activityWindowMs, writesStillMs, naming } = this.#options;
    const { exports = [], table, records, skipped } = snapshot.value;
    const reading: TcpReading = tcpReadingOf(snapshot);
    this.#state = foldReading(this.#state, reading, query);
    const enforcement = enforcementOf(snapshot.value);
    const folded = foldFences(this.#fences, fenceEntries(records, table), {
      isEnforced: enforcement.kind === 'enforced',
      receivedAtMs: snapshot.receivedAtMs,
    });
    this.#fences = folded.history;
    const volumes = new Map<string, string>();
    for (const volume of query.suspects.flatMap((suspect) => suspect.volumes)) {
      const found = findExport(volume, naming, exports);
      if (found) volumes.set(volume.volumeHandle, found.devicePath);
    }
    const interpreted = interpretReading({
      query,
      reading,
      state: this.#state,
      fences: folded.fences,
      enforcement,
      volumes,
      options: { activityWindowMs, writesStillMs },
    });
    return { ...interpreted, skipped };
  }

  #portsToFence(): readonly number[] {
    const served = this.#lastContent?.exports?.flatMap(({ ports }) => ports) ?? [];
    const ports = [...new Set([...this.#options.ports, ...served])];
    return ports.length > 0 ? ports : [DEFAULT_PORT];
  }
}

/** NVMe/TCP I/O controllers: IANA `nvme`, NVMe TCP transport 1.0, 3.1.1. */
const DEFAULT_PORT = 4420;

/**
 * Without a table nothing is dropped; that matters once something is fenced. Before the first fence the target has no table, and
 * the fence creates it.
 */
function enforcementOf({ table, records, exports }: TargetContent): Enforcement {
  if (records.length === 0) return { kind: 'enforced' };
  const fix =
    'the next fence restores the table; to do it now, run on the target: systemctl start reattach-target';
  if (table.problem !== undefined) return { kind: 'not-enforced', detail: table.problem, fix };
  const open = exports?.flatMap(({ ports }) => ports).find((port) => !table.ports.has(port));
  return open === undefined
    ? { kind: 'enforced' }
    : { kind: 'not-enforced', detail: `packets to export port ${open} are not dropped`, fix };
}

interface Change {
  /** Entries that were added or removed. */
  readonly entries: number;
  readonly table: ReturnType<typeof parseFenceTable>;
  readonly records: readonly FenceRecord[];
}

function parseChange(reply: Reply): Change {
  const entries = Number(reply.get('changed')?.lines[0]?.split('\t')[1]);
  if (!Number.isSafeInteger(entries)) throw new TypeError('expected the number of changed entries');
  const fences = reply.get('fences') ?? { status: 'missing' as const, lines: [] };
  return { entries, table: parseFenceTable(reply.get('table')), records: parseRecords(fences).records };
}

function ipOnly({ kind, value }: StorageAddress): string {
  const address = kind === 'ip' ? canonicalIp(value) : undefined;
  if (address === undefined) {
    throw new BackendError(
      'INVALID_VALUE',
      'not-applied',
      `${kind} ${value}: a Linux target fences IP addresses only`,
    );
  }
  return address;
}

function storable(record: FenceRecord): readonly string[] {
  try {
    return formatRecord(record);
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause);
    throw new BackendError('INVALID_VALUE', 'not-applied', detail, { cause });
  }
}

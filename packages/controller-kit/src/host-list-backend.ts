import {
  type Clock,
  type FenceRecord,
  ipAddresses,
  isFenceOf,
  type Logger,
  type PersistentVolumeFact,
  type StorageBackend,
  type StorageNode,
  type StorageQuery,
  type StorageReading,
  type VolumeClaim,
} from '@reattach/core';
import { type BackendHost, evidenceOf, fenceStateOf } from './judge-host.ts';
import { PolledBackend } from './polled-backend.ts';

/** An entry of a backend's block list. `comment` is text that the backend keeps unchanged, up to 1 KiB. */
export interface BackendBlock {
  readonly id: string;
  readonly ips: readonly string[];
  readonly comment: string;
}

/** One complete answer of a backend. */
export interface HostList {
  readonly hosts: readonly BackendHost[];
  /** The blocks that Reattach made, also for other clusters and drivers. */
  readonly blocks: readonly BackendBlock[];
  /** Handles of the volumes that it exports. */
  readonly volumes: readonly string[];
}

export interface HostListBackendOptions {
  readonly name: string;
  readonly kind: string;
  readonly clock: Clock;
  readonly logger?: Logger;
  /** Silence after which the backend has surely dropped a host, ms: more than twice its keep-alive timeout. */
  readonly silentAfterMs: number;
  /** @throws when the backend cannot be reached */
  readonly read: (signal: AbortSignal) => Promise<HostList>;
  /** Adds or replaces a block. From then on no packet of its addresses is accepted. */
  readonly block: (block: BackendBlock, signal: AbortSignal) => Promise<void>;
  /** Removes a block, or does nothing when it is not there. */
  readonly unblock: (id: string, signal: AbortSignal) => Promise<void>;
  /** Default: every volume is `unnamed`, which is right where there is one backend. */
  readonly claimOf?: (volume: PersistentVolumeFact) => VolumeClaim;
}

/**
 * A storage backend from three calls, for products that know hosts by IP address, can block one, and say how many commands of
 * each are in flight. A product that cannot say what is in flight needs a backend of its own, because a fence alone does
 * not show that accepted writes have ended.
 */
export function hostListBackend(options: HostListBackendOptions): StorageBackend {
  const { read, block, unblock, silentAfterMs } = options;
  const seenSinceMs = new Map<string, number>();
  const fencesIn = (blocks: readonly BackendBlock[], nowMs: number) =>
    blocks.map(({ id, ips, comment }) => {
      const sinceMs = seenSinceMs.get(id) ?? nowMs;
      seenSinceMs.set(id, sinceMs);
      return { ...(JSON.parse(comment) as FenceRecord), id, inForce: ipAddresses(ips), seenSinceMs: sinceMs };
    });

  async function observe(
    query: StorageQuery,
    nowMs: number,
    signal: AbortSignal,
  ): Promise<Omit<StorageReading, 'observedAtMs'>> {
    const { hosts, blocks, volumes } = await read(signal);
    const fences = fencesIn(blocks, nowMs);
    const nodes = [...query.suspects, ...query.peers];
    const strangers =
      nodes.length === 0 ? [] : hosts.filter((host) => nodes.every((node) => !isAt(node, host)));
    const isLive = ({ lastSeenMs }: BackendHost) => nowMs - lastSeenMs < silentAfterMs;
    const judged = query.suspects.map((node) => {
      const own = hosts.filter((host) => isAt(node, host));
      const evidence = evidenceOf(node, own, nowMs, silentAfterMs);
      const state = fenceStateOf({
        node,
        hosts: own,
        fences: fences.filter((fence) => isFenceOf(fence, node, query)),
        hasLiveStranger: strangers.some(isLive),
        nowMs,
      });
      return { name: node.name, evidence, state };
    });
    const asked = query.suspects.flatMap((node) => node.volumes.map(({ volumeHandle }) => volumeHandle));
    return {
      fences,
      enforcement: { kind: 'enforced' },
      evidence: new Map(judged.map(({ name, evidence }) => [name, evidence])),
      fenceStates: new Map(judged.map(({ name, state }) => [name, state])),
      liveHosts: hosts.filter(isLive).length,
      unattributed: strangers.filter(isLive).map(({ ip, lastSeenMs }) => ({
        address: { kind: 'ip', value: ip },
        lastActivityMs: lastSeenMs,
      })),
      volumes: new Set(asked.filter((handle) => volumes.includes(handle))),
    };
  }

  return new PolledBackend({
    ...options,
    capabilities: { addressKinds: ['ip'], canFence: true },
    read: observe,
    async fence(record, addresses, signal) {
      signal.throwIfAborted();
      const ips = addresses.map(({ value }) => value);
      await block({ id: record.id, ips, comment: JSON.stringify(record) }, signal);
      const { blocks } = await read(signal);
      const written = blocks.find(({ id }) => id === record.id);
      const missing = ips.filter((ip) => written?.ips.includes(ip) !== true);
      if (missing.length > 0)
        throw new Error(`${options.name} does not show the block of ${missing.join(', ')}`);
    },
    async unfence({ id }, signal) {
      await unblock(id, signal);
      const { blocks } = await read(signal);
      if (blocks.some((each) => each.id === id)) throw new Error(`${options.name} still shows block ${id}`);
      seenSinceMs.delete(id);
    },
  });
}

function isAt({ addresses }: StorageNode, { ip }: BackendHost): boolean {
  return addresses.some(({ kind, value }) => kind === 'ip' && value === ip);
}

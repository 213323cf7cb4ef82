import {
  defaultPolicy,
  hostListBackend,
  type RunControllerOptions,
  runController,
} from '@reattach/controller-kit';
import type { Clock, Policy, StorageBackend } from '@reattach/core';
import type { ArrayApi } from './array-api.ts';

/** The array drops a host that sends nothing for 5 s, so a longer silence means that the host is gone. */
const SILENT_AFTER_MS = 15_000;

export interface DriverOptions extends Pick<RunControllerOptions, 'api' | 'logger' | 'onStarted' | 'signal'> {
  /** Replaces fields of the default policy. */
  readonly policy?: Partial<Policy>;
}

/** Runs the whole release for volumes of one array until the signal aborts. */
export function runDriver(
  attacher: string,
  array: ArrayApi,
  { policy, ...options }: DriverOptions,
): Promise<void> {
  return runController({
    ...options,
    backends: [{ name: 'array', create: ({ clock }) => arrayBackend(array, clock) }],
    config: {
      policy: defaultPolicy(attacher, { mode: 'fence', ...policy }),
      leaderElection: { leaseName: attacher },
    },
  });
}

/** The array as Reattach sees it: it knows hosts by address, blocks them, and says which commands are in flight. */
export function arrayBackend(array: ArrayApi, clock: Clock): StorageBackend {
  return hostListBackend({
    name: 'array',
    kind: 'example-array',
    clock,
    silentAfterMs: SILENT_AFTER_MS,
    read: (signal) => array.read(signal),
    block: (block, signal) => array.block(block, signal),
    unblock: (id, signal) => array.unblock(id, signal),
  });
}

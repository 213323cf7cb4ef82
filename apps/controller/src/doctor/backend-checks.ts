import {
  type Clock,
  EMPTY_QUERY,
  type NodeFact,
  type Policy,
  type StorageBackend,
  storageIdentity,
} from '@reattach/core';
import type { BackendConfig } from '../config/read-backends.ts';
import { descriptorOf } from '../create-backend.ts';
import type { Check } from './check.ts';
import { readingChecks } from './reading-checks.ts';
import { WRITE_PERMISSION, writeProbe } from './write-probe.ts';

export interface BackendQuestion {
  readonly backend: StorageBackend;
  readonly configured: BackendConfig;
  readonly policy: Policy;
  /** Empty when the cluster did not answer. */
  readonly nodes: readonly NodeFact[];
  /** Proves the write permission by writing. */
  readonly probe: boolean;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** One backend: what its product needs, then what its reading shows about this cluster. */
export async function backendChecks(question: BackendQuestion): Promise<readonly Check[]> {
  const { backend, configured, policy, nodes, probe, clock, signal } = question;
  const { mode, attacher: owner } = policy;
  const { kind, settings } = configured;
  const descriptor = descriptorOf(configured);
  // One attempt: the doctor reports what keeps it from succeeding.
  const query =
    nodes.length === 0
      ? EMPTY_QUERY
      : { owner, suspects: nodes.map((node) => ({ ...storageIdentity(node), volumes: [] })), peers: [] };
  await backend.observe(query, signal);
  const context = { mayFence: mode === 'fence', nowMs: clock.now(), settings };
  const checks = [...descriptor.check(backend, context)];
  const reading = backend.lastReading;
  if (!reading) return checks;
  if (probe) {
    const proved = await writeProbe(backend, owner, clock.now(), signal);
    const at = checks.findIndex(({ name }) => name === WRITE_PERMISSION);
    checks.splice(at === -1 ? checks.length : at, at === -1 ? 0 : 1, proved);
  }
  const { activityWindowMs = 0 } = settings;
  return [
    ...checks,
    ...readingChecks({
      reading,
      nodes,
      mode,
      kind,
      hasForeignAddresses: 'foreignAddresses' in descriptor.options,
      activityWindowMs: Number(activityWindowMs),
    }),
  ];
}

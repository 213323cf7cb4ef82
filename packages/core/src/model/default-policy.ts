import type { Policy } from './policy.ts';

/**
 * The policy of a controller that was given no other settings: mode `observe`, so nothing is written until the mode is `fence`.
 * @param attacher name of the CSI driver, as in `spec.attacher` of its VolumeAttachments
 * @param overrides replace whole fields
 */
export function defaultPolicy(attacher: string, overrides: Partial<Omit<Policy, 'attacher'>> = {}): Policy {
  const { strategy = 'auto' } = overrides;
  return {
    mode: 'observe',
    attacher,
    strategy,
    otherDrivers: strategy === 'out-of-service' ? 'hold' : 'release-ours',
    gracePeriodMs: 30_000,
    silentGraceMs: 10_000,
    maxCacheAgeMs: 120_000,
    suspectPollMs: 2_000,
    detachTimeoutMs: 60_000,
    breaker: { maxNodes: 1, maxFraction: 0.49, maxNodesPerWindow: 3, windowMs: 600_000 },
    fence: { pollMs: 10_000, neverFence: {} },
    addresses: { allowedCidrs: [], reserved: [] },
    earlyDetection: { enabled: false, leaseStaleMs: 20_000 },
    ...overrides,
  };
}

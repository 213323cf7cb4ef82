import type { Policy } from '../model/policy.ts';
import { TEST_ATTACHER } from './fact-builders.ts';

/** The defaults of the controller, mode `fence`, for volumes of the builders' attacher. */
export function testPolicy(overrides: Partial<Policy> = {}): Policy {
  return {
    mode: 'fence',
    attacher: TEST_ATTACHER,
    strategy: 'auto',
    otherDrivers: 'release-ours',
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

import { defaultPolicy } from '../model/default-policy.ts';
import type { Policy } from '../model/policy.ts';
import { TEST_ATTACHER } from './fact-builders.ts';

/** The default policy, mode `fence`, for volumes of the builders' attacher. */
export function testPolicy({ attacher = TEST_ATTACHER, ...overrides }: Partial<Policy> = {}): Policy {
  return defaultPolicy(attacher, { mode: 'fence', otherDrivers: 'release-ours', ...overrides });
}

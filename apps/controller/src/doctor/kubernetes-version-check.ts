import type { Policy } from '@reattach/core';
import { type Check, ok, warning } from './check.ts';

const NAME = 'Kubernetes version';

/** The oldest version on which the controller was run against a real API server. */
const OLDEST_TESTED = 20;
/** Since when the taint `node.kubernetes.io/out-of-service` works without a feature gate. */
const OUT_OF_SERVICE_BETA = 26;

/** Whether the API server knows what the strategy uses. @param gitVersion `v1.33.1+k3s1` */
export function versionCheck(gitVersion: string, { strategy }: Pick<Policy, 'strategy'>): Check {
  const minor = Number(/^v?1\.(\d+)/.exec(gitVersion)?.[1] ?? Number.NaN);
  if (Number.isNaN(minor))
    return warning(
      NAME,
      `${JSON.stringify(gitVersion)} is not a version that was understood`,
      'Compare it with the versions in README.md',
    );
  if (strategy === 'out-of-service' && minor < OUT_OF_SERVICE_BETA)
    return warning(
      NAME,
      `${gitVersion} ignores the out-of-service taint unless a feature gate is on (from 1.${OUT_OF_SERVICE_BETA} on it works by default), so nothing would be detached`,
      'Set strategy to auto, or upgrade Kubernetes to 1.26',
    );
  if (minor < OLDEST_TESTED)
    return warning(
      NAME,
      `${gitVersion} is older than 1.${OLDEST_TESTED}, the oldest version that was tested`,
      'Upgrade Kubernetes, or stay in mode observe and compare its decisions with what happens',
    );
  return ok(NAME, gitVersion);
}

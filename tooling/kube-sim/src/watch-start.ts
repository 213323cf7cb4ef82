import { parseResourceVersion } from './api.ts';
import { KubeSimError } from './kube-sim-error.ts';
import type { LoggedRequest } from './request-log.ts';

/**
 * Where a watch starts: with an ADDED event for every object there is (`streaming`: then a bookmark that says so), after a
 * resourceVersion, or now.
 */
export type WatchStart =
  | { readonly kind: 'everything'; readonly streaming: boolean }
  | { readonly kind: 'after'; readonly resourceVersion: number }
  | { readonly kind: 'now' };

/**
 * Reads the options of a watch.
 * @throws {KubeSimError} Invalid as `validateWatchOptions` in kubernetes apimachinery `meta/internalversion/validation` says.
 */
export function watchStart(query: LoggedRequest['query'], streamingLists: boolean): WatchStart {
  const { resourceVersion = '', resourceVersionMatch = '', sendInitialEvents } = query;
  const version = parseResourceVersion(resourceVersion || '0');
  if (sendInitialEvents === undefined) {
    if (resourceVersionMatch !== '') {
      refuse(
        'resourceVersionMatch',
        'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided',
      );
    }
    return version === 0
      ? { kind: 'everything', streaming: false }
      : { kind: 'after', resourceVersion: version };
  }
  if (resourceVersionMatch !== 'NotOlderThan') {
    refuse('resourceVersionMatch', 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan');
  }
  if (!streamingLists) {
    refuse(
      'sendInitialEvents',
      'sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled',
    );
  }
  if (sendInitialEvents === 'true') return { kind: 'everything', streaming: true };
  return version === 0 ? { kind: 'now' } : { kind: 'after', resourceVersion: version };
}

function refuse(field: string, problem: string): never {
  throw new KubeSimError('Invalid', `ListOptions.meta.k8s.io "" is invalid: ${field}: Forbidden: ${problem}`);
}

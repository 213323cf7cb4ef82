import { reservedAddresses as reservedOutsideBackends } from '@reattach/controller-kit';
import type { BackendOptionValue, ReservedAddress } from '@reattach/core';
import type { BackendConfig } from './read-backends.ts';

/** Addresses of backends, API server and this machine: a fence of one of them would cut off more than a node. */
export function reservedAddresses(
  backends: readonly BackendConfig[],
  server: string,
): readonly ReservedAddress[] {
  return [...backendAddresses(backends), ...reservedOutsideBackends(server)];
}

/** Addresses in the settings of backends. */
export function backendAddresses(backends: readonly BackendConfig[]): readonly ReservedAddress[] {
  return backends.flatMap(({ name, settings }) =>
    Object.values(settings)
      .flatMap(addressesIn)
      .map((address) => ({ address, claimant: `backend ${name}` })),
  );
}

/** Addresses in the value of a backend's option. */
function addressesIn(value: BackendOptionValue): readonly string[] {
  if (typeof value === 'string' || typeof value === 'number') return [];
  return 'host' in value ? [value.host] : value;
}

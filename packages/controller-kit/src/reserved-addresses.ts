import { networkInterfaces } from 'node:os';
import type { ReservedAddress } from '@reattach/core';

/** Addresses of the API server and this machine: a fence of one of them would cut off more than a node. */
export function reservedAddresses(apiServer: string): readonly ReservedAddress[] {
  const own = Object.values(networkInterfaces()).flatMap((addresses = []) =>
    addresses.filter(({ internal }) => !internal),
  );
  return [
    { address: new URL(apiServer).hostname.replace(/^\[|\]$/g, ''), claimant: 'the API server' },
    ...own.map(({ address }) => ({ address, claimant: 'this controller' })),
  ];
}

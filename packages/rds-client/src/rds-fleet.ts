import { isIPv6 } from 'node:net';
import type { PersistentVolumeFact, StorageBackend, StorageFleet } from '@reattach/core';
import type { RdsBackend } from './rds-backend.ts';
import { addressNamed, comparable } from './volume-address.ts';

/** Any number of backends, each with its own connection and evidence. */
export class RdsFleet implements StorageFleet {
  readonly backends: readonly RdsBackend[];
  readonly #byAddress = new Map<string, RdsBackend>();

  /** @throws {TypeError} when two backends have the same name or storage address */
  constructor(backends: readonly RdsBackend[]) {
    this.backends = backends;
    const names = new Set(backends.map(({ name }) => name));
    if (names.size < backends.length) throw new TypeError('Two storage backends have the same name');
    for (const backend of backends) {
      for (const address of backend.storageAddresses.map(comparable)) {
        const other = this.#byAddress.get(address);
        if (other)
          throw new TypeError(
            `Storage backends ${other.name} and ${backend.name} have the same address ${address}`,
          );
        this.#byAddress.set(address, backend);
      }
    }
  }

  /** The backend a volume names by its attributes; a volume that names none belongs to the only backend there is. */
  backendOf(volume: PersistentVolumeFact): StorageBackend | undefined {
    const named = addressNamed(volume.volumeAttributes);
    // Neither sessions nor a fence of a volume that is reached over IPv6 would be seen.
    if (named !== undefined)
      return isIPv6(comparable(named)) ? undefined : this.#byAddress.get(comparable(named));
    return this.backends.length === 1 ? this.backends[0] : undefined;
  }
}

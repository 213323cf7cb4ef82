import type { PersistentVolumeFact } from '../model/facts.ts';
import type { StorageFleet } from '../ports/ports.ts';
import type { StorageBackend } from '../ports/storage-backend.ts';

/** Any number of backends of any kind, each with its own connection and evidence. */
export class BackendFleet implements StorageFleet {
  readonly backends: readonly StorageBackend[];

  constructor(backends: readonly StorageBackend[]) {
    this.backends = backends;
  }

  /**
   * The one backend that claims the volume. A volume that names no backend belongs to the only one there is; a volume that two backends
   * claim belongs to none, because fencing at one of them would not stop its writes at the other.
   */
  backendOf(volume: PersistentVolumeFact): StorageBackend | undefined {
    const claims = this.backends.map((backend) => ({ backend, claim: backend.claimOf(volume) }));
    const mine = claims.filter(({ claim }) => claim === 'mine');
    if (mine.length > 0) return mine.length === 1 ? mine[0]?.backend : undefined;
    const [only, ...others] = claims;
    return others.length === 0 && only?.claim === 'unnamed' ? only.backend : undefined;
  }
}

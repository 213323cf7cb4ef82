import type { Mode, PersistentVolumeFact, StorageFleet } from '@reattach/core';
import { type Check, gate, ok, someOf, warning } from './check.ts';

const NAME = 'persistent volumes';

/** Whether every volume of the driver names one configured backend. */
export function volumesCheck(
  volumes: readonly PersistentVolumeFact[],
  attacher: string,
  fleet: StorageFleet,
  mode: Mode,
): Check {
  const own = volumes.filter(({ driver, released }) => driver === attacher && released !== true);
  if (own.length === 0)
    return warning(
      NAME,
      `There is no PersistentVolume of driver ${attacher}`,
      'Check --attacher against kubectl get pv -o custom-columns=NAME:.metadata.name,DRIVER:.spec.csi.driver',
    );
  const homeless = own.filter((volume) => fleet.backendOf(volume) === undefined);
  if (homeless.length === 0)
    return ok(NAME, `All ${own.length} of driver ${attacher} name a configured backend`);
  const volumeAttributes = homeless[0]?.volumeAttributes ?? {};
  const said = Object.entries(volumeAttributes).map(([key, value]) => `${key}=${value}`);
  return gate(mode)(
    NAME,
    `${homeless.length} of ${own.length} name no configured backend, or more than one: ${someOf(homeless.map(({ name }) => name))}; the first says ${said.join(', ') || 'nothing'}`,
    "Add the address that these volumes name to the backend's storageAddresses, or configure the backend that they name",
  );
}

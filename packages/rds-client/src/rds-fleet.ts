import type { PersistentVolumeFact, StorageBox, StorageFleet } from '@reattach/core';
import type { RdsBox } from './rds-box.ts';
import { normaliseAddress } from './routeros/ip-address.ts';

/** Volume attributes that name the box of a volume, the first one present counts. */
const BOX_ATTRIBUTES = ['nvmeAddress', 'rdsAddress', 'address'] as const;

/** Any number of boxes, each with its own connection and evidence. */
export class RdsFleet implements StorageFleet {
  readonly boxes: readonly RdsBox[];
  readonly #byAddress = new Map<string, RdsBox>();

  /** @throws {TypeError} when two boxes have the same name or storage address */
  constructor(boxes: readonly RdsBox[]) {
    this.boxes = boxes;
    const names = new Set(boxes.map(({ name }) => name));
    if (names.size < boxes.length) throw new TypeError('Two storage boxes have the same name');
    for (const box of boxes) {
      for (const address of box.storageAddresses.map(comparable)) {
        const other = this.#byAddress.get(address);
        if (other)
          throw new TypeError(`Storage boxes ${other.name} and ${box.name} have the same address ${address}`);
        this.#byAddress.set(address, box);
      }
    }
  }

  /** The box a volume names by its attributes; a volume that names none belongs to the only box there is. */
  boxOf(volume: PersistentVolumeFact): StorageBox | undefined {
    const { volumeAttributes } = volume;
    const attribute = BOX_ATTRIBUTES.find((key) => volumeAttributes[key] !== undefined);
    const named = attribute === undefined ? undefined : volumeAttributes[attribute];
    if (named !== undefined) return this.#byAddress.get(comparable(named));
    return this.boxes.length === 1 ? this.boxes[0] : undefined;
  }
}

function comparable(address: string): string {
  return normaliseAddress(address) ?? address.toLowerCase();
}

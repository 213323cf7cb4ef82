import type { Device } from '@reattach/rds-sim';

type AddressListEntry = ReturnType<Device['addressList']['add']>;
type FirewallRule = ReturnType<Device['addDropRule']>;

/** The address list behind the nft sets: the data plane has one packet filter for both kinds of target. */
const LIST = 'reattach-fenced';

/** One entry of `/etc/reattach/fences`. */
export interface RecordedEntry {
  readonly address: string;
  readonly id: string;
  /** `key=value` words, the id first. */
  readonly words: readonly string[];
}

/** The nft table and the records behind it. Records survive `flush()`, as files do. */
export class FenceTable {
  readonly #device: Device;
  readonly #entries: RecordedEntry[] = [];
  readonly #enforced = new Map<string, AddressListEntry>();
  readonly ports: Set<number> = new Set();
  #rule: FirewallRule | undefined;
  /** Statements added to the drop rule from outside, as `nft -j` prints them. */
  narrowedBy: readonly object[] = [];

  constructor(device: Device) {
    this.#device = device;
  }

  get exists(): boolean {
    return this.#rule !== undefined;
  }

  get entries(): readonly RecordedEntry[] {
    return this.#entries;
  }

  get enforced(): readonly string[] {
    return [...this.#enforced.keys()];
  }

  /** @returns how many entries were added */
  fence(addresses: readonly string[], words: readonly string[], ports: readonly number[]): number {
    const id = idOf(words);
    for (const port of ports) this.ports.add(port);
    const fresh = addresses.filter(
      (address) => !this.#entries.some((each) => each.address === address && each.id === id),
    );
    for (const address of fresh) this.#entries.push({ address, id, words });
    this.restore();
    return fresh.length;
  }

  /** @returns how many entries were removed */
  unfence(id: string): number {
    const before = this.#entries.length;
    const kept = this.#entries.filter((each) => each.id !== id);
    this.#entries.splice(0, before, ...kept);
    this.restore();
    return before - kept.length;
  }

  /** The table as the records want it. */
  restore(): void {
    this.narrowedBy = [];
    if (this.#rule) this.#device.raw.remove(this.#rule);
    this.#rule = this.#device.addDropRule({ list: LIST, port: [...this.ports].join(',') || 4420 });
    const wanted = new Set(this.#entries.map(({ address }) => address));
    for (const [address, entry] of this.#enforced) {
      if (wanted.has(address)) continue;
      this.#device.addressList.remove(entry);
      this.#enforced.delete(address);
    }
    for (const address of wanted) {
      if (!this.#enforced.has(address))
        this.#enforced.set(address, this.#device.addressList.add({ list: LIST, address }));
    }
  }

  /** `nft flush ruleset`: nothing is dropped any more; the records stay. */
  flush(): void {
    if (this.#rule) this.#device.raw.remove(this.#rule);
    this.#rule = undefined;
    for (const entry of this.#enforced.values()) this.#device.addressList.remove(entry);
    this.#enforced.clear();
  }

  /** A condition is added to the drop rule, so that it no longer drops everything. */
  narrow(statement: object): void {
    this.narrowedBy = [statement];
    if (this.#rule) this.#device.raw.remove(this.#rule);
    this.#rule = this.#device.raw.add({
      chain: 'prerouting',
      action: 'drop',
      protocol: 'tcp',
      'dst-port': '1',
      comment: 'narrowed',
    });
  }
}

export function idOf(words: readonly string[]): string {
  return words.find((word) => word.startsWith('id='))?.slice(3) ?? '';
}

import type { Clock } from '@reattach/core';
import { runtimeError } from '../script/script-error.ts';
import type { ItemId } from '../script/value.ts';
import type { Changes } from './changes.ts';
import { inRange, storedAddress } from './ip-address.ts';
import type { ItemIds } from './item-ids.ts';

export interface AddressListEntry {
  readonly id: ItemId;
  readonly list: string;
  /** An address, a range, a network or a domain name; the device takes all of them, and names contain no address here. */
  readonly address: string;
  readonly comment: string | undefined;
  readonly disabled: boolean;
  /** Held in memory only: a timed entry is dynamic, and a reboot removes it. */
  readonly dynamic: boolean;
  /** Wall-clock time of the device, epoch ms. */
  readonly createdAtMs: number;
  /** Time of the clock at which the entry ends, epoch ms; `undefined`: it has no end. */
  readonly expiresAtMs: number | undefined;
}

export interface NewAddressListEntry {
  readonly list: string;
  readonly address: string;
  readonly comment?: string | undefined;
  readonly disabled?: boolean | undefined;
  readonly dynamic?: boolean | undefined;
  /** Makes the entry dynamic; it ends by itself. */
  readonly timeoutMs?: number | undefined;
}

/** `/ip/firewall/address-list`. */
export class AddressList implements Disposable {
  readonly #clock: Clock;
  readonly #ids: ItemIds;
  readonly #changes: Changes;
  readonly #wallClockMs: () => number;
  readonly #timers = new Map<AddressListEntry, Disposable>();
  #entries: AddressListEntry[] = [];

  constructor(clock: Clock, ids: ItemIds, changes: Changes, wallClockMs: () => number) {
    this.#clock = clock;
    this.#ids = ids;
    this.#changes = changes;
    this.#wallClockMs = wallClockMs;
  }

  /** Oldest first. */
  get entries(): readonly AddressListEntry[] {
    return this.#entries;
  }

  /** @throws {ScriptError} when the list has the address already, be that entry disabled or dynamic. */
  add(entry: NewAddressListEntry): AddressListEntry {
    const { timeoutMs } = entry;
    const address = storedAddress(entry.address);
    this.#refuseDuplicate(entry.list, address, undefined);
    const added: AddressListEntry = {
      id: this.#ids.next(),
      list: entry.list,
      address,
      comment: entry.comment,
      disabled: entry.disabled ?? false,
      dynamic: entry.dynamic === true || timeoutMs !== undefined,
      createdAtMs: this.#wallClockMs(),
      expiresAtMs: timeoutMs === undefined ? undefined : this.#clock.now() + timeoutMs,
    };
    this.#changes.apply(() => this.#entries.push(added));
    if (timeoutMs !== undefined) {
      this.#timers.set(
        added,
        this.#clock.after(timeoutMs, () => this.remove(added)),
      );
    }
    return added;
  }

  /** @throws {ScriptError} when another entry has list and address already. */
  change(
    entry: AddressListEntry,
    changes: Partial<Pick<AddressListEntry, 'list' | 'address' | 'comment' | 'disabled'>>,
  ): void {
    const address = storedAddress(changes.address ?? entry.address);
    this.#refuseDuplicate(changes.list ?? entry.list, address, entry);
    this.#changes.apply(() => Object.assign(entry, changes, { address }));
  }

  remove(entry: AddressListEntry): void {
    this.#timers.get(entry)?.[Symbol.dispose]();
    this.#timers.delete(entry);
    this.#changes.apply(() => {
      this.#entries = this.#entries.filter((other) => other !== entry);
    });
  }

  /** What a reboot does. */
  removeDynamic(): void {
    for (const entry of this.#entries) if (entry.dynamic) this.remove(entry);
  }

  /** Whether an enabled entry of `list` has `address` in its range. */
  contains(list: string, address: string): boolean {
    return this.#entries.some(
      (entry) => !entry.disabled && entry.list === list && inRange(address, entry.address),
    );
  }

  /** Ends every timer. */
  [Symbol.dispose](): void {
    for (const timer of this.#timers.values()) timer[Symbol.dispose]();
    this.#timers.clear();
  }

  #refuseDuplicate(list: string, address: string, except: AddressListEntry | undefined): void {
    if (this.#entries.some((e) => e !== except && e.list === list && e.address === address)) {
      throw runtimeError('failure: already have such entry');
    }
  }
}

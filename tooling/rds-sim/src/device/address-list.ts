import type { Clock } from '@reattach/core';
import { runtimeError } from '../script/script-error.ts';
import type { ItemId } from '../script/value.ts';
import { inRange, storedAddress } from './ip-address.ts';
import type { ItemIds } from './item-ids.ts';

export interface AddressListEntry {
  readonly id: ItemId;
  list: string;
  address: string;
  comment: string | undefined;
  disabled: boolean;
  /** Held in memory only: timed entries are, and vanish with a reboot. */
  readonly dynamic: boolean;
  /** Wall-clock time of the device, epoch ms. */
  readonly createdAtMs: number;
  /** Time of the clock, epoch ms; `undefined`: stays. */
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
export class AddressList {
  readonly #clock: Clock;
  readonly #ids: ItemIds;
  readonly #wallClockMs: () => number;
  #entries: AddressListEntry[] = [];

  constructor(clock: Clock, ids: ItemIds, wallClockMs: () => number) {
    this.#clock = clock;
    this.#ids = ids;
    this.#wallClockMs = wallClockMs;
  }

  /** Those that have not ended, oldest first. */
  get entries(): readonly AddressListEntry[] {
    const nowMs = this.#clock.now();
    this.#entries = this.#entries.filter(
      ({ expiresAtMs }) => expiresAtMs === undefined || expiresAtMs > nowMs,
    );
    return this.#entries;
  }

  /** @throws {ScriptError} when the list has the address already, be that entry disabled or dynamic. */
  add(entry: NewAddressListEntry): AddressListEntry {
    const address = storedAddress(entry.address);
    this.#refuseDuplicate(entry.list, address, undefined);
    const added: AddressListEntry = {
      id: this.#ids.next(),
      list: entry.list,
      address,
      comment: entry.comment,
      disabled: entry.disabled ?? false,
      dynamic: entry.dynamic === true || entry.timeoutMs !== undefined,
      createdAtMs: this.#wallClockMs(),
      expiresAtMs: entry.timeoutMs === undefined ? undefined : this.#clock.now() + entry.timeoutMs,
    };
    this.#entries.push(added);
    return added;
  }

  /** @throws {ScriptError} when another entry has list and address already. */
  change(
    entry: AddressListEntry,
    changes: Partial<Pick<AddressListEntry, 'list' | 'address' | 'comment' | 'disabled'>>,
  ): void {
    const address = storedAddress(changes.address ?? entry.address);
    this.#refuseDuplicate(changes.list ?? entry.list, address, entry);
    Object.assign(entry, changes, { address });
  }

  remove(entry: AddressListEntry): void {
    this.#entries = this.#entries.filter((other) => other !== entry);
  }

  /** What a reboot does. */
  removeDynamic(): void {
    this.#entries = this.#entries.filter((entry) => !entry.dynamic);
  }

  /** Whether an enabled entry of `list` has `address` in its range. */
  contains(list: string, address: string): boolean {
    return this.entries.some(
      (entry) => !entry.disabled && entry.list === list && inRange(address, entry.address),
    );
  }

  #refuseDuplicate(list: string, address: string, except: AddressListEntry | undefined): void {
    if (this.entries.some((e) => e !== except && e.list === list && e.address === address)) {
      throw runtimeError('failure: already have such entry');
    }
  }
}

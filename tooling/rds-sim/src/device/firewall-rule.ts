import type { ItemId } from '../script/value.ts';
import type { Changes } from './changes.ts';

/** One rule of the raw or the filter table. */
export class FirewallRule {
  readonly id: ItemId;
  /** Made by the device itself: cannot be removed, and is lost by a reboot. */
  readonly dynamic: boolean;
  readonly #changes: Changes;
  readonly #properties: Map<string, string>;
  #disabled: boolean;
  #invalid = false;
  #packets = 0;
  #bytes = 0;

  constructor(
    id: ItemId,
    properties: Readonly<Record<string, string>>,
    options: { readonly disabled: boolean; readonly dynamic: boolean },
    changes: Changes,
  ) {
    this.id = id;
    this.#properties = new Map(Object.entries(properties));
    this.#disabled = options.disabled;
    this.dynamic = options.dynamic;
    this.#changes = changes;
  }

  /** By RouterOS' names, matchers that the model does not know included. */
  get properties(): ReadonlyMap<string, string> {
    return this.#properties;
  }

  /** Sets a property. A matcher that the model does not know keeps the rule from ever hitting. */
  set(name: string, value: string): void {
    this.#changes.apply(() => this.#properties.set(name, value));
  }

  unset(name: string): void {
    this.#changes.apply(() => this.#properties.delete(name));
  }

  get disabled(): boolean {
    return this.#disabled;
  }

  set disabled(disabled: boolean) {
    this.#changes.apply(() => {
      this.#disabled = disabled;
    });
  }

  /** RouterOS marks a rule as invalid that names an interface it does not have; such a rule does nothing. */
  get invalid(): boolean {
    return this.#invalid;
  }

  set invalid(invalid: boolean) {
    this.#changes.apply(() => {
      this.#invalid = invalid;
    });
  }

  /** Packets it has hit since the device booted. */
  get packets(): number {
    this.#changes.settle();
    return this.#packets;
  }

  get bytes(): number {
    this.#changes.settle();
    return this.#bytes;
  }

  count(packets: number, bytes: number): void {
    this.#packets += packets;
    this.#bytes += bytes;
  }

  resetCounters(): void {
    this.#packets = 0;
    this.#bytes = 0;
  }
}

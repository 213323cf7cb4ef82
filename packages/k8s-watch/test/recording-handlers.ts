import { DeletedFinalStateUnknown } from '../src/deleted-final-state-unknown.ts';
import type { InformerHandlers } from '../src/handler-registry.ts';

/** Writes each event down as text: `add a@1`, `update a@1 a@2`, `delete a@2`, `tombstone a@2`. */
export class RecordingHandlers<T> implements InformerHandlers<T> {
  readonly events: string[] = [];
  readonly #show: (value: T) => string;

  constructor(show: (value: T) => string) {
    this.#show = show;
  }

  onAdd(value: T): void {
    this.events.push(`add ${this.#show(value)}`);
  }

  onUpdate(old: T, value: T): void {
    this.events.push(`update ${this.#show(old)} ${this.#show(value)}`);
  }

  onDelete(last: T | DeletedFinalStateUnknown<T>): void {
    const late = last instanceof DeletedFinalStateUnknown;
    this.events.push(late ? `tombstone ${this.#show(last.last)}` : `delete ${this.#show(last)}`);
  }
}

import type { DeletedFinalStateUnknown } from './deleted-final-state-unknown.ts';

/**
 * Callbacks for changes. Called in the order of the changes, after the cache has them, and not again for an
 * object after its `onDelete` without a new `onAdd`.
 */
export interface InformerHandlers<T> {
  onAdd?(value: T): void;
  onUpdate?(old: T, value: T): void;
  onDelete?(last: T | DeletedFinalStateUnknown<T>): void;
}

/** Called when a handler threw or rejected. */
export type HandlerFailure = (handler: keyof InformerHandlers<unknown>, error: unknown) => void;

/** Calls handlers one after the other; one that throws does not keep the others from being called. */
export class HandlerRegistry<T> {
  readonly #onFailure: HandlerFailure;
  /** Replaced, never changed, so that a handler may add or remove others. */
  #registrations: readonly { readonly handlers: InformerHandlers<T> }[] = [];

  constructor(onFailure: HandlerFailure) {
    this.#onFailure = onFailure;
  }

  /** Adds handlers and calls their `onAdd` for each of `present`. Disposing removes them. */
  add(handlers: InformerHandlers<T>, present: Iterable<T>): Disposable {
    for (const value of present) this.#call('onAdd', () => handlers.onAdd?.(value));
    const registration = { handlers };
    this.#registrations = [...this.#registrations, registration];
    return {
      [Symbol.dispose]: () => {
        this.#registrations = this.#registrations.filter((candidate) => candidate !== registration);
      },
    };
  }

  added(value: T): void {
    for (const { handlers } of this.#registrations) this.#call('onAdd', () => handlers.onAdd?.(value));
  }

  updated(old: T, value: T): void {
    for (const { handlers } of this.#registrations)
      this.#call('onUpdate', () => handlers.onUpdate?.(old, value));
  }

  deleted(last: T | DeletedFinalStateUnknown<T>): void {
    for (const { handlers } of this.#registrations) this.#call('onDelete', () => handlers.onDelete?.(last));
  }

  #call(name: keyof InformerHandlers<unknown>, handler: () => unknown): void {
    try {
      const result = handler();
      if (result instanceof Promise) result.catch((error: unknown) => this.#onFailure(name, error));
    } catch (error) {
      this.#onFailure(name, error);
    }
  }
}

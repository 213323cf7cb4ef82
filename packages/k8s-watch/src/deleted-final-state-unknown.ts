/**
 * A tombstone: an object that is gone, learned late (on a relist, or because another one has its name now). Its last
 * state before the deletion was not seen; `last` is the one before.
 */
export class DeletedFinalStateUnknown<T> {
  /** `name`, or `namespace/name`. */
  readonly key: string;
  readonly last: T;

  constructor(key: string, last: T) {
    this.key = key;
    this.last = last;
  }
}

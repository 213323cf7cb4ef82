import { ItemId } from '../script/value.ts';

/** Numbers of one menu's items, never used twice. */
export class ItemIds {
  #last = 0;

  next(): ItemId {
    this.#last += 1;
    return new ItemId(this.#last);
  }
}

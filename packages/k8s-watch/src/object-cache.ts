import type { Identity, JsonObject } from './raw-object.ts';

/**
 * Cuts an object down to what is kept of it. `undefined`: of no interest, not kept. Must not throw or keep `raw`.
 * @param previous what was kept of the same object (same uid) before; returning it says that nothing of interest changed,
 * and handlers hear nothing.
 */
export type Projection<T> = (raw: unknown, previous: T | undefined) => T | undefined;

/** The keys under which an index finds a value; none: not in the index. */
export type IndexFunction<T> = (value: T) => readonly string[];

/** What became of the cache. Called after the change, one object at a time. */
export interface CacheListener<T> {
  added(value: T): void;
  updated(old: T, value: T): void;
  /** @param late its last state was not seen. */
  deleted(key: string, last: T, late: boolean): void;
}

/** An object in a list that is not complete yet. `undefined`: of no interest. */
interface Staged<T> {
  readonly identity: Identity;
  readonly value: T | undefined;
}

/**
 * Projections of objects by key, with indexes. Invariants: it holds one state of the server, never a mixture of two: a
 * list shows once it is complete; every value is in exactly the buckets its index functions name; an object under a known
 * key with another uid is a deletion and an addition; one whose version is known already is no change.
 */
export class ObjectCache<T> implements Iterable<T> {
  readonly #project: Projection<T>;
  readonly #listener: CacheListener<T>;
  /** Apart from the versions, so that reading all of them is as fast as it can be. Both have the same keys. */
  readonly #values = new Map<string, T>();
  readonly #versions = new Map<string, Identity>();
  readonly #indexes: readonly { readonly keysOf: IndexFunction<T>; readonly buckets: Map<string, T[]> }[];
  readonly #indexByName: ReadonlyMap<string, ReadonlyMap<string, readonly T[]>>;
  /** The list under way. */
  #staged: Map<string, Staged<T>> | undefined;

  constructor(
    project: Projection<T>,
    indexes: Readonly<Record<string, IndexFunction<T>>>,
    listener: CacheListener<T>,
  ) {
    this.#project = project;
    this.#listener = listener;
    const named = Object.entries(indexes).map(([name, keysOf]) => ({
      name,
      keysOf,
      buckets: new Map<string, T[]>(),
    }));
    this.#indexes = named;
    this.#indexByName = new Map(named.map(({ name, buckets }) => [name, buckets]));
  }

  get size(): number {
    return this.#values.size;
  }

  get(key: string): T | undefined {
    return this.#values.get(key);
  }

  /** Every value, without a copy; may be asked for again and again. */
  [Symbol.iterator](): Iterator<T> {
    return this.#values.values();
  }

  /** The values an index has under `key`, in no order. Not a copy: good until the next event. */
  byIndex(index: string, key: string): readonly T[] {
    const buckets = this.#indexByName.get(index);
    if (!buckets) throw new TypeError(`Expected one of the indexes, got ${JSON.stringify(index)}`);
    return buckets.get(key) ?? [];
  }

  /** A list begins: what comes until `endList` belongs to it. One that was under way is forgotten. */
  beginList(): void {
    this.#staged = new Map();
  }

  /** The list is complete, and replaces what there is. */
  endList(): void {
    const staged = this.#staged ?? new Map<string, Staged<T>>();
    this.#staged = undefined;
    for (const { identity, value } of staged.values()) this.#set(identity, value);
    for (const key of this.#versions.keys()) if (!staged.has(key)) this.#delete(key, true);
  }

  upsert(identity: Identity, raw: JsonObject): void {
    const { key, uid, resourceVersion } = identity;
    const version = this.#versions.get(key);
    const previous = version?.uid === uid ? this.#values.get(key) : undefined;
    const unchanged = previous !== undefined && resourceVersion === version?.resourceVersion;
    const value = unchanged && resourceVersion !== undefined ? previous : this.#project(raw, previous);
    if (this.#staged) this.#staged.set(key, { identity, value });
    else this.#set(identity, value);
  }

  /** Takes the object out; `raw` is its final state. Another object under its name stays. */
  remove({ key, uid }: Identity, raw: JsonObject): void {
    if (this.#staged) this.#staged.delete(key);
    else if (this.#versions.get(key)?.uid === uid) this.#delete(key, false, raw);
  }

  #set(identity: Identity, value: T | undefined): void {
    const { key, uid } = identity;
    const version = this.#versions.get(key);
    if (version && version.uid !== uid) this.#delete(key, true);
    const old = this.#values.get(key);
    if (value === undefined) {
      this.#delete(key, false);
      return;
    }
    this.#versions.set(key, identity);
    if (value === old) return;
    if (old !== undefined) this.#removeFromIndexes(old);
    this.#values.set(key, value);
    this.#addToIndexes(value);
    if (old === undefined) this.#listener.added(value);
    else this.#listener.updated(old, value);
  }

  #delete(key: string, late: boolean, raw?: JsonObject): void {
    const last = this.#values.get(key);
    if (last === undefined) return;
    const final = raw && this.#project(raw, last);
    this.#versions.delete(key);
    this.#values.delete(key);
    this.#removeFromIndexes(last);
    this.#listener.deleted(key, final ?? last, late);
  }

  #addToIndexes(value: T): void {
    for (const { keysOf, buckets } of this.#indexes) {
      for (const key of keysOf(value)) {
        const bucket = buckets.get(key);
        if (bucket) bucket.push(value);
        else buckets.set(key, [value]);
      }
    }
  }

  #removeFromIndexes(value: T): void {
    for (const { keysOf, buckets } of this.#indexes) {
      for (const key of keysOf(value)) {
        const bucket = buckets.get(key);
        const last = bucket?.pop();
        if (!bucket || last === undefined) continue;
        if (last !== value) bucket[bucket.indexOf(value)] = last;
        if (bucket.length === 0) buckets.delete(key);
      }
    }
  }
}

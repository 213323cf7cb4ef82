import type { Identity, JsonObject } from './raw-object.ts';

/**
 * Cuts an object down to what is kept of it. `undefined`: of no interest, not kept. Must not throw or keep `raw`.
 * @param previous what was kept of the same object (same uid) before; returning it says that nothing of interest changed,
 * and handlers are not called.
 */
export type Projection<T> = (raw: unknown, previous: T | undefined) => T | undefined;

/** What a cache can hold: what it is cut down to still says which object it was. */
export interface Identified {
  /** `metadata.uid`. */
  readonly uid: string;
}

/** The keys under which an index finds a value; none: not in the index. */
export type IndexFunction<T> = (value: T) => readonly string[];

/** What became of the cache. Called after the change, one object at a time. */
export interface CacheListener<T> {
  added(value: T): void;
  updated(old: T, value: T): void;
  /** @param late its last state was not seen. */
  deleted(key: string, last: T, late: boolean): void;
}

/** A resourceVersion to compare for equality: one that is a number, as all of etcd's are, costs no text in memory. */
type Version = string | number | undefined;

/** An object as the server has it. */
interface Projected<T> {
  readonly uid: string;
  /** `undefined`: of no interest. */
  readonly value: T | undefined;
  readonly version: Version;
}

/** One value in most buckets, so no list for it. */
type Bucket<T> = T | T[];

/**
 * Projections of objects by key, with indexes. Invariants: it holds one state of the server, never a mixture of two: a
 * list shows once it is complete; every value is in exactly the buckets its index functions name; an object under a known
 * key with another uid is a deletion and an addition; one whose version is known already does not change anything.
 */
export class ObjectCache<T extends Identified> implements Iterable<T> {
  readonly #project: Projection<T>;
  readonly #listener: CacheListener<T>;
  /** Apart from the versions, so that reading all of them is as fast as it can be. Both have the same keys. */
  readonly #values = new Map<string, T>();
  readonly #versions = new Map<string, Version>();
  readonly #indexes: readonly {
    readonly keysOf: IndexFunction<T>;
    readonly buckets: Map<string, Bucket<T>>;
  }[];
  readonly #indexByName: ReadonlyMap<string, ReadonlyMap<string, Bucket<T>>>;
  #revision = 0;
  /** The list that is being read. */
  #staged: Map<string, Projected<T>> | undefined;

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
      buckets: new Map<string, Bucket<T>>(),
    }));
    this.#indexes = named;
    this.#indexByName = new Map(named.map(({ name, buckets }) => [name, buckets]));
  }

  get size(): number {
    return this.#values.size;
  }

  /** Another number after every change of a value; the same while all values are the same. */
  get revision(): number {
    return this.#revision;
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
    const bucket = buckets.get(key);
    return bucket === undefined ? [] : listOf(bucket);
  }

  /** A list begins: what comes until `endList` belongs to it. An unfinished one is dropped. */
  beginList(): void {
    this.#staged = new Map();
  }

  /** The list is complete, and replaces what there is. */
  endList(): void {
    const staged = this.#staged ?? new Map<string, Projected<T>>();
    this.#staged = undefined;
    for (const [key, object] of staged) this.#set(key, object);
    for (const key of this.#versions.keys()) if (!staged.has(key)) this.#delete(key, true);
  }

  upsert({ key, uid, resourceVersion }: Identity, raw: JsonObject): void {
    const known = this.#values.get(key);
    const previous = known?.uid === uid ? known : undefined;
    const version = versionOf(resourceVersion);
    const unchanged = version !== undefined && version === this.#versions.get(key);
    const value = previous !== undefined && unchanged ? previous : this.#project(raw, previous);
    if (this.#staged) this.#staged.set(key, { uid, value, version });
    else this.#set(key, { uid, value, version });
  }

  /** Takes the object out; `raw` is its final state. Another object under its name stays. */
  remove({ key, uid }: Identity, raw: JsonObject): void {
    if (this.#staged) this.#staged.delete(key);
    else if (this.#values.get(key)?.uid === uid) this.#delete(key, false, raw);
  }

  #set(key: string, { uid, value, version }: Projected<T>): void {
    const known = this.#values.get(key);
    if (known && known.uid !== uid) this.#delete(key, true);
    const old = this.#values.get(key);
    if (value === undefined) {
      this.#delete(key, false);
      return;
    }
    this.#versions.set(key, version);
    if (value === old) return;
    if (old !== undefined) this.#removeFromIndexes(old);
    this.#values.set(key, value);
    this.#revision++;
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
    this.#revision++;
    this.#removeFromIndexes(last);
    this.#listener.deleted(key, final ?? last, late);
  }

  #addToIndexes(value: T): void {
    for (const { keysOf, buckets } of this.#indexes) {
      for (const key of keysOf(value)) {
        const bucket = buckets.get(key);
        if (bucket === undefined) buckets.set(key, value);
        else if (Array.isArray(bucket)) bucket.push(value);
        else buckets.set(key, [bucket, value]);
      }
    }
  }

  #removeFromIndexes(value: T): void {
    for (const { keysOf, buckets } of this.#indexes) {
      for (const key of keysOf(value)) {
        const bucket = buckets.get(key);
        if (bucket === undefined) continue;
        const list = listOf(bucket);
        const last = list.pop();
        if (last !== undefined && last !== value) list[list.indexOf(value)] = last;
        if (list.length === 0) buckets.delete(key);
      }
    }
  }
}

/** The bucket itself when it is a list. */
function listOf<T>(bucket: Bucket<T>): T[] {
  return Array.isArray(bucket) ? bucket : [bucket];
}

function versionOf(resourceVersion: string | undefined): Version {
  const number = Number(resourceVersion);
  return String(number) === resourceVersion ? number : resourceVersion;
}

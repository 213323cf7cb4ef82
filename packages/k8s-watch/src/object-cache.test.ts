import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ObjectCache } from './object-cache.ts';
import { isJsonObject, type JsonObject } from './raw-object.ts';

interface Item {
  readonly key: string;
  readonly uid: string;
  readonly tags: readonly string[];
  readonly version: number;
}

/** Keeps objects with tags; those without are of no interest. */
function project(raw: unknown): Item | undefined {
  if (!isJsonObject(raw)) return undefined;
  const item = raw as unknown as Item;
  return item.tags.length > 0 ? item : undefined;
}

function createCache(events: string[] = []): ObjectCache<Item> {
  const show = ({ key, uid, version }: Item) => `${key}/${uid}@${version}`;
  return new ObjectCache(
    project,
    { tag: ({ tags }) => tags },
    {
      added: (item) => void events.push(`add ${show(item)}`),
      updated: (old, item) => void events.push(`update ${show(old)} ${show(item)}`),
      deleted: (key, last, late) => void events.push(`${late ? 'tombstone' : 'delete'} ${key} ${show(last)}`),
    },
  );
}
const upsert = (cache: ObjectCache<Item>, item: Item) =>
  cache.upsert({ key: item.key, uid: item.uid, resourceVersion: String(item.version) }, { ...item });
const item = (overrides: Partial<Item> = {}): Item => ({
  key: 'a',
  uid: 'u',
  tags: ['x'],
  version: 1,
  ...overrides,
});

describe('ObjectCache', () => {
  it('deletes with the final state', () => {
    const events: string[] = [];
    const cache = createCache(events);
    upsert(cache, item());
    cache.remove({ key: 'a', uid: 'u', resourceVersion: '2' }, { ...item({ version: 2 }) });
    expect(events).toEqual(['add a/u@1', 'delete a a/u@2']);
  });

  it('says nothing of a projection that stayed the same value', () => {
    const events: string[] = [];
    const cache = createCache(events);
    const same = item();
    cache.upsert({ key: 'a', uid: 'u', resourceVersion: '1' }, same as unknown as JsonObject);
    cache.upsert({ key: 'a', uid: 'u', resourceVersion: '2' }, same as unknown as JsonObject);
    expect(events).toEqual(['add a/u@1']);
  });

  it('gives a projection what was kept of the same object, not of one that had its name', () => {
    const seen: (Item | undefined)[] = [];
    const keep = (raw: unknown, previous: Item | undefined) => {
      seen.push(previous);
      return raw as Item;
    };
    const silent = { added: () => undefined, updated: () => undefined, deleted: () => undefined };
    const cache = new ObjectCache(keep, {}, silent);
    const first = item();
    cache.upsert({ key: 'a', uid: 'u', resourceVersion: '1' }, first as unknown as JsonObject);
    cache.upsert({ key: 'a', uid: 'u', resourceVersion: '2' }, first as unknown as JsonObject);
    cache.upsert({ key: 'a', uid: 'v', resourceVersion: '3' }, first as unknown as JsonObject);
    expect(seen).toEqual([undefined, first, undefined]);
  });

  it('ignores the deletion of another object of that name, and of one it does not know', () => {
    const events: string[] = [];
    const cache = createCache(events);
    upsert(cache, item());
    cache.remove({ key: 'a', uid: 'other', resourceVersion: '2' }, {});
    cache.remove({ key: 'b', uid: 'u', resourceVersion: '2' }, {});
    expect([events, cache.size]).toEqual([['add a/u@1'], 1]);
  });

  it('drops an object that is of no interest any more', () => {
    const events: string[] = [];
    const cache = createCache(events);
    upsert(cache, item());
    upsert(cache, item({ version: 2, tags: [] }));
    upsert(cache, item({ version: 3, tags: [] }));
    expect(events).toEqual(['add a/u@1', 'delete a a/u@1']);
    expect(cache.byIndex('tag', 'x')).toEqual([]);
  });

  it('shows nothing of a list that is not complete, and nothing of one that never was', () => {
    const events: string[] = [];
    const cache = createCache(events);
    upsert(cache, item({ key: 'a' }));
    cache.beginList();
    upsert(cache, item({ key: 'b' }));
    expect([events, cache.size]).toEqual([['add a/u@1'], 1]);
    cache.beginList();
    upsert(cache, item({ key: 'a', version: 2 }));
    upsert(cache, item({ key: 'c' }));
    cache.remove({ key: 'c', uid: 'u', resourceVersion: '3' }, {});
    cache.endList();
    expect(events.slice(1)).toEqual(['update a/u@1 a/u@2']);
  });

  it('keeps what a list names, changed or not', () => {
    const events: string[] = [];
    const cache = createCache(events);
    for (const key of ['a', 'b', 'c']) upsert(cache, item({ key }));
    cache.beginList();
    upsert(cache, item({ key: 'a' }));
    upsert(cache, item({ key: 'b', version: 2 }));
    upsert(cache, item({ key: 'd' }));
    cache.endList();
    expect(events.slice(3)).toEqual(['update b/u@1 b/u@2', 'add d/u@1', 'tombstone c c/u@1']);
  });

  it('has every value in exactly the buckets its index function names', () => {
    const tags = fc.uniqueArray(fc.constantFrom('x', 'y', 'z'), { maxLength: 3 });
    const change = fc.record({
      key: fc.constantFrom('a', 'b', 'c', 'd'),
      uid: fc.constantFrom('u', 'v'),
      tags,
      remove: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 40 }), (changes) => {
        const cache = createCache();
        for (const [version, { remove, ...rest }] of changes.entries()) {
          const next = item({ ...rest, version });
          if (remove) cache.remove({ key: next.key, uid: next.uid, resourceVersion: undefined }, { ...next });
          else upsert(cache, next);
        }
        for (const tag of ['x', 'y', 'z']) {
          const expected = [...cache].filter(({ tags: has }) => has.includes(tag));
          expect(new Set(cache.byIndex('tag', tag))).toEqual(new Set(expected));
          expect(cache.byIndex('tag', tag)).toHaveLength(expected.length);
        }
      }),
    );
  });
});

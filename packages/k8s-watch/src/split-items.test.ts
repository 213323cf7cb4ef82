import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitItems } from './split-items.ts';

/** The list put together again. */
function joined(text: string): unknown {
  const split = splitItems(text);
  return (
    split && { ...(JSON.parse(split.rest) as object), items: split.items.map((item) => JSON.parse(item)) }
  );
}

const metadata = { resourceVersion: '7', continue: 'a"b\\' };
const item = fc.dictionary(fc.string(), fc.jsonValue());

describe('splitItems', () => {
  it('loses nothing of a list, however it is laid out', () => {
    const list = fc.record({
      kind: fc.string(),
      items: fc.array(item),
      metadata: fc.dictionary(fc.string(), fc.jsonValue()),
    });
    fc.assert(
      fc.property(list, fc.constantFrom(undefined, 1, '\t'), (value, space) => {
        const text = JSON.stringify(value, null, space);
        expect(joined(text)).toEqual(JSON.parse(text));
      }),
      { numRuns: 1_000 },
    );
  });

  it.each([
    ['items last', `{"kind":"items","metadata":${JSON.stringify(metadata)},"items":[{"a":[{}]},{"b":"]}"}]}`],
    ['items first', `{"items":[{}],"metadata":${JSON.stringify(metadata)}}`],
    ['no items', `{"metadata":{"items":[{"x":1}]},"items":[]}`],
  ])('finds the items of the list itself: %s', (_what, text) => {
    expect(joined(text)).toEqual(JSON.parse(text));
  });

  it.each([
    'null',
    '[]',
    '{"items":null}',
    '{"items":{"a":{}}}',
    '{"metadata":{"items":[{}]}}',
    '{"items":[1]}',
    '{"items":["a"]}',
    '{"items":[[{}]]}',
    '{"items":[{},null]}',
    '{"items":[{"a":"',
    '{"items":[{}',
    '',
  ])('leaves %s to be parsed as a whole', (text) => {
    expect(splitItems(text)).toBeUndefined();
  });

  it('may be given anything', () => {
    const anything = fc.string({
      unit: fc.constantFrom('{', '}', '[', ']', '"', ':', ',', '\\', '"items"', '1'),
    });
    fc.assert(
      fc.property(anything, (text) => {
        expect(() => splitItems(text)).not.toThrow();
      }),
    );
  });
});

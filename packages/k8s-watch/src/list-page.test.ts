import { describe, expect, it } from 'vitest';
import { parseList, readListPage } from './list-page.ts';

describe('parseList', () => {
  it('reads a page and parses each item when it comes to it', () => {
    const text = '{"metadata":{"resourceVersion":"7","continue":"c"},"items":[{"a":1},{"b":2},{"c":!}]}';
    const page = readListPage(parseList(text));
    expect(page).toMatchObject({ resourceVersion: '7', continueToken: 'c' });
    const items = page.items[Symbol.iterator]();
    expect([items.next().value, items.next().value]).toEqual([{ a: 1 }, { b: 2 }]);
    expect(() => items.next()).toThrow(expect.objectContaining({ code: 'MALFORMED' }));
  });

  it('refuses text beside the items that is not JSON', () => {
    expect(() => parseList('{"metadata":!,"items":[{}]}')).toThrow(SyntaxError);
  });

  it.each(['null', '3', '{"items":[]}', '{"metadata":{"resourceVersion":"7"}}'])(
    'finds no page in %s',
    (text) => {
      expect(() => readListPage(parseList(text))).toThrow(expect.objectContaining({ code: 'MALFORMED' }));
    },
  );

  it('takes null for no items, as Go servers write it', () => {
    const text = '{"metadata":{"resourceVersion":"7"},"items":null}';
    expect([...readListPage(parseList(text)).items]).toEqual([]);
  });
});

import { describe, expect, it } from 'vitest';
import { keysOf } from './object-keys.ts';

describe('keysOf', () => {
  const file = `
    const fields = { backend, why: 'a, { b' };
    function fieldsOf({ x }: Y): Z { const y = [1]; return { node: f(x, { inner: 1 }), ...(uid !== undefined && { nodeUid: uid }) }; }
  `;

  it.each<[string, readonly string[]]>([
    ['{ a, b: 1 }', ['a', 'b']],
    ['{ a: { inner: 1 }, b: [c, d] }', ['a', 'b']],
    ["{ a: 'one, two', b: `{` }", ['a', 'b']],
    ['{ a, ...(b && { c: d }) }', ['a', 'c']],
    ['{ a, ...fieldsOf(decision) }', ['a', 'node', 'nodeUid']],
    ['{ ...(decision && fieldsOf(decision)), a }', ['node', 'nodeUid', 'a']],
    ['fields', ['backend', 'why']],
  ])('%s -> %j', (expression, expected) => {
    expect(keysOf(expression, file)).toEqual(expected);
  });

  it('refuses what it cannot read', () => {
    expect(() => keysOf('{ ...unknown }', file)).toThrow(TypeError);
  });
});

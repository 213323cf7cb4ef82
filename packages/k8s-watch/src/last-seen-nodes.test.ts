import { nodeFact } from '@reattach/core/testing';
import { describe, expect, it } from 'vitest';
import { DeletedFinalStateUnknown } from './deleted-final-state-unknown.ts';
import { LastSeenNodes } from './last-seen-nodes.ts';

describe('LastSeenNodes', () => {
  it('remembers a deleted Node until it is back', () => {
    const nodes = new LastSeenNodes();
    const a = nodeFact({ name: 'a' });
    const b = nodeFact({ name: 'b' });
    nodes.onDelete(a);
    nodes.onDelete(new DeletedFinalStateUnknown('b', b));
    expect([nodes.get('a'), nodes.get('b')]).toEqual([a, b]);
    nodes.onAdd(nodeFact({ name: 'a', uid: 'another' }));
    expect([nodes.get('a'), nodes.get('b')]).toEqual([undefined, b]);
  });

  it('forgets the one deleted first when there are more than 1,000', () => {
    const nodes = new LastSeenNodes();
    for (let i = 0; i <= 1_000; i++) nodes.onDelete(nodeFact({ name: `n${i}` }));
    expect(nodes.get('n0')).toBeUndefined();
    expect([nodes.get('n1')?.name, nodes.get('n1000')?.name]).toEqual(['n1', 'n1000']);
  });
});

import { describe, expect, it } from 'vitest';
import { nodeFact } from './fact-builders.ts';
import { FakeNodeLister } from './fake-node-lister.ts';

const { signal } = new AbortController();

describe('FakeNodeLister', () => {
  it('knows the Nodes that were set, and no others', async () => {
    const [nodeA, nodeB] = [nodeFact(), nodeFact({ name: 'node-b' })];
    const lister = new FakeNodeLister([nodeA]);
    lister.set(nodeB);
    expect(await lister.getNode('node-a', signal)).toBe(nodeA);
    expect(await lister.getNode('node-b', signal)).toBe(nodeB);
    lister.delete('node-a');
    expect(await lister.getNode('node-a', signal)).toBeUndefined();
    expect(lister.calls).toEqual(['node-a', 'node-b', 'node-a']);
  });

  it('fails for one name until that is reset', async () => {
    const lister = new FakeNodeLister([nodeFact(), nodeFact({ name: 'node-b' })]);
    lister.fail('node-a', new Error('boom'));
    await expect(lister.getNode('node-a', signal)).rejects.toThrow('boom');
    await expect(lister.getNode('node-b', signal)).resolves.toMatchObject({ name: 'node-b' });
    lister.fail('node-a');
    await expect(lister.getNode('node-a', signal)).resolves.toMatchObject({ name: 'node-a' });
  });

  it('rejects with the reason of an aborted signal, without a call', async () => {
    const lister = new FakeNodeLister();
    await expect(lister.getNode('node-a', AbortSignal.abort(new Error('too late')))).rejects.toThrow(
      'too late',
    );
    expect(lister.calls).toEqual([]);
  });
});

import { FakeClock, nodeFact, volumeAttachmentFact } from '@reattach/core/testing';
import { DeletedFinalStateUnknown } from '@reattach/k8s-watch';
import { describe, expect, it } from 'vitest';
import { GoneNodes } from './gone-nodes.ts';

function setUp() {
  const clock = new FakeClock();
  const recorded: (readonly [string, number])[] = [];
  const planPreview = { recordGone: (name: string, nowMs: number) => void recorded.push([name, nowMs]) };
  const attached = [volumeAttachmentFact()];
  const caches = { volumeAttachmentsOnNode: (name: string) => (name === 'node-a' ? attached : []) };
  return { nodes: new GoneNodes(planPreview, caches, clock), recorded, nowMs: clock.now() };
}

describe('GoneNodes', () => {
  it('records a deleted Node, seen to go or found gone', () => {
    const { nodes, recorded, nowMs } = setUp();
    nodes.onDelete(nodeFact());
    nodes.onDelete(new DeletedFinalStateUnknown('node-a', nodeFact()));
    expect(recorded).toEqual([
      ['node-a', nowMs],
      ['node-a', nowMs],
    ]);
  });

  it('does not remember Nodes on which nothing was attached: many come and go', () => {
    const { nodes, recorded } = setUp();
    nodes.onDelete(nodeFact({ name: 'node-b' }));
    expect(recorded).toEqual([]);
  });
});

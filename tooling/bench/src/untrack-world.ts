import { AttachmentManager, UntrackPass } from '@reattach/core';
import { FakeClock, FakeNodeLister, nodeFact } from '@reattach/core/testing';

const ATTACHMENTS_PER_NODE = 2;

/** The pass of an embedding driver over `attachments` volumes. A share of the nodes is gone, within their grace. */
export async function untrackWorld(attachments: number, goneShare: number): Promise<() => Promise<void>> {
  const clock = new FakeClock();
  const nodes = new FakeNodeLister();
  const manager = new AttachmentManager({ clock });
  const { signal } = new AbortController();
  const count = attachments / ATTACHMENTS_PER_NODE;
  for (let index = 0; index < attachments; index++)
    await manager.trackAttachment(`volume-${index}`, `node-${index % count}`, {}, signal);
  for (let index = Math.round(count * goneShare); index < count; index++)
    nodes.set(nodeFact({ name: `node-${index}` }));
  const pass = new UntrackPass({ manager, nodes });
  const context = { reasons: new Set(['periodic'] as const), reconcileId: 'bench', wake: () => undefined };
  return async () => {
    await pass.run({ ...context, nowMs: clock.now() }, signal);
    nodes.calls.length = 0;
  };
}

import { describe, expect, it } from 'vitest';
import { Lab } from './support/lab.ts';

const LOST = 'node-a';

describe('a deleted Node whose pods are gone when its controller dies', () => {
  it('is judged by the next controller, though nothing in the cluster knows its addresses', async () => {
    await using lab = await Lab.start({ nodes: [LOST, 'node-b'], volumes: 4 });
    const { kube } = lab.world;
    const first = await lab.ready();
    lab.world.powerOff(LOST);
    kube.store.delete('Node', LOST);
    kube.faults.add(
      { method: 'DELETE', path: /volumeattachments/ },
      { kind: 'hang' },
      Number.POSITIVE_INFINITY,
    );
    await lab.until(
      'the pods to go',
      () => first.logged('Deleted pod').length === 2 || lab.replicasOn(LOST).length === 0,
    );
    kube.store.delete('Pod', `agent-${LOST}`, 'default', { gracePeriodSeconds: 0 });
    await lab.runFor(500);
    await first.stop();
    kube.faults.clear();
    await lab.failedOverConfirmed(LOST, await lab.ready());
    expect(lab.world.rds.oracle.doubleWrites).toBe(0);
  });
});

import { describe, expect, it } from 'vitest';
import { Lab } from './support/lab.ts';

const LOST = 'node-a';

/** In which what was found out is reported, ms of cluster time. */
const REPORT_MS = 500;

describe('a detach that was carried out, though its answer could not be understood', () => {
  it('is reported as any other', async () => {
    await using lab = await Lab.start({ nodes: [LOST, 'node-b'], volumes: 4 });
    const { kube } = lab.world;
    const controller = await lab.ready();
    kube.faults.add(
      { method: 'PATCH', path: /\/nodes\/node-a\/status$/ },
      { kind: 'malformed' },
      Number.POSITIVE_INFINITY,
    );
    lab.world.node(LOST).kubelet.stop();
    await lab.failedOver(LOST);
    await lab.runFor(REPORT_MS);
    expect(controller.logged('Released stale attachment')).toHaveLength(2);
  });
});

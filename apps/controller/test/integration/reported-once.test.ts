import { describe, expect, it } from 'vitest';
import { Lab } from './support/lab.ts';

const LOST = 'node-a';

/** In which the end of a request and the next pass are reported, ms of cluster time. */
const REPORT_MS = 500;

describe('what a controller logs', () => {
  it('is one release of each volume, though one write is about several', async () => {
    await using lab = await Lab.start({ nodes: [LOST, 'node-b'], volumes: 4 });
    const controller = await lab.ready({ 'detach-timeout-ms': 15_000 });
    lab.world.kube.faults.add({ method: 'DELETE', path: /\/pods\// }, { kind: 'hang' });
    lab.world.node(LOST).kubelet.stop();
    await lab.failedOver(LOST);
    await lab.runFor(REPORT_MS);
    expect(controller.logged('Released stale attachment')).toHaveLength(2);
  });

  it('is another hold when another cause keeps its reason up', async () => {
    await using lab = await Lab.start({ nodes: [LOST, 'node-b'], volumes: 4 });
    const { rds } = lab.world;
    const controller = await lab.ready();
    await rds.faults.down();
    lab.world.powerOff(LOST);
    await lab.until(
      'a hold',
      () => controller.logged('Held release', { reason: 'storage-unknown' }).length === 2,
    );
    rds.run('/ip/firewall/connection/tracking/set enabled=no');
    await rds.faults.up();
    await lab.until(
      'the backend to be read',
      () => controller.logged('Storage backend was read again').length > 0,
    );
    await lab.runFor(2_000);
    const [volume = ''] = lab.world.attachedTo(LOST);
    const held = controller.logged('Held release', { persistentVolume: volume });
    expect(held.map(({ fields }) => fields['why'])).toEqual([
      expect.stringMatching(/backend-unreachable/),
      expect.stringMatching(/not-observable/),
    ]);
  });
});

import type { Scenario } from '../scenario.ts';
import { failedOver, releasedAll, VICTIM } from './expect.ts';

/** How long the disks take for a write, ms. Real: 45 s. */
const DISK_MS = 2_250;

export const slowDisk: Scenario = {
  name: 'slow-disk',
  title:
    'writes that the backend accepted land 45 s later: the volumes of the fenced node are released only after that',
  mode: 'fence',
  async play(run) {
    const { world, timeline } = run;
    const { kubelet } = world.node(VICTIM);
    const volumes = world.attachedTo(VICTIM).flatMap((slot) => world.rds.device.volume(slot) ?? []);
    const unfinished = () => volumes.reduce((sum, { unfinishedWrites }) => sum + unfinishedWrites, 0);
    timeline.add(
      'fault',
      `The disks of both volumes on ${VICTIM} now take ${DISK_MS / 1_000} s for a write, and its kubelet dies; its pods still write`,
    );
    for (const volume of volumes) volume.writeServiceMs = DISK_MS;
    kubelet.stop();
    await run.until('the fence', () => world.rds.device.addressList.entries.length > 0);
    const atFence = unfinished();
    timeline.add('narration', `${atFence} accepted writes have not landed yet when the fence is complete`);
    if (atFence === 0) throw new Error('no accepted write was left when the node was fenced');
    let landedAtMs: number | undefined;
    await run.until('the accepted writes to land', () => {
      const isReleased = world.kube.requests.some(
        ({ method, path, userAgent }) =>
          Boolean(userAgent?.startsWith('reattach')) &&
          (method === 'DELETE' || (method === 'PATCH' && path.endsWith('/status'))),
      );
      if (unfinished() > 0 && isReleased)
        throw new Error(`released while ${unfinished()} accepted writes had not landed`);
      if (unfinished() === 0) landedAtMs ??= Date.now();
      return landedAtMs !== undefined;
    });
    timeline.add('narration', 'The last accepted write has landed');
    for (const volume of volumes) volume.writeServiceMs = undefined;
    await failedOver(run);
  },
  judge: releasedAll,
};

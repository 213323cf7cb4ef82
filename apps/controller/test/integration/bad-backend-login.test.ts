import { describe, expect, it } from 'vitest';
import { backendWrites, clusterWrites } from './support/effects.ts';
import { Lab } from './support/lab.ts';
import type { RunningController } from './support/running-controller.ts';

const LOST = 'node-a';
const ANOTHER_KEY = `SHA256:${'A'.repeat(43)}`;
/** More than the longest back-off of a connection, ms of cluster time. */
const RECONNECT_MS = 20_000;

/** Why the backend makes the controller not ready. */
function backendError({ controller }: RunningController): string {
  const check = controller.ready().checks.find(({ name }) => name.startsWith('storage-backend'));
  return check?.ok === false ? check.why : 'no error';
}

describe('a controller that may not log in at the backend', () => {
  it('says that the host key is a wrong one, sends no command and holds the volumes of a lost node', async () => {
    await using lab = await Lab.start();
    const controller = lab.compose({ 'rds-host-key-file': undefined, 'rds-host-key': ANOTHER_KEY });
    controller.start();
    lab.world.powerOff(LOST);
    await lab.until('both volumes to be held', () => controller.logged('Held release').length === 2);
    await lab.runFor(3_000);

    expect(backendError(controller)).toMatch(/^BAD_HOST_KEY: .*SHA256:/);
    const [line] = controller.lines.filter(({ level }) => level === 'error');
    expect(line).toMatchObject({
      message: expect.stringMatching(/^Storage backend showed a wrong host key/),
      fields: { code: 'BAD_HOST_KEY' },
    });
    for (const volume of lab.world.attachedTo(LOST)) {
      expect(controller.holds(volume)).toEqual(['storage-unknown']);
      expect(lab.claimEvents(lab.claimOf(volume))).toEqual(['ReleaseHeld']);
    }
    expect(lab.world.attachedTo(LOST)).toHaveLength(2);
    expect(lab.world.rds.commands.total).toBe(0);
    expect(clusterWrites(lab.world)).toEqual([]);
  });

  it('says that its key is refused, and decides once the backend takes it', async () => {
    await using lab = await Lab.start();
    const { rds } = lab.world;
    const refusal = rds.faults.onConnection({ kind: 'auth' }, Number.POSITIVE_INFINITY);
    const controller = lab.compose();
    controller.start();
    lab.world.powerOff(LOST);
    await lab.until('both volumes to be held', () => controller.logged('Held release').length === 2);
    expect(backendError(controller)).toMatch(/^AUTH_REFUSED: /);
    const refusals = controller.logged('Storage backend was not connected, reconnecting', {
      code: 'AUTH_REFUSED',
    });
    expect(refusals.filter(({ level }) => level === 'warn')).toHaveLength(1);
    expect(clusterWrites(lab.world)).toEqual([]);

    refusal[Symbol.dispose]();
    await lab.until('the controller to be ready', () => controller.isReady, RECONNECT_MS);
    await lab.failedOverConfirmed(LOST, controller); // its queues closed unseen
    expect(backendWrites(lab.world)).toHaveLength(1);
    expect(rds.oracle.doubleWrites).toBe(0);
  });
});

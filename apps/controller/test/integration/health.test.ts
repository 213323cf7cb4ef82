import { describe, expect, it } from 'vitest';
import { Lab } from './support/lab.ts';
import type { RunningController } from './support/running-controller.ts';

const STANDBY_LEASE = {
  'leader-election-enabled': true,
  'leader-election-namespace': 'kube-system',
  'leader-election-lease-duration-ms': 15_000,
};

/** The least that is safe: bookmarks, one a minute, prove quiet watches current. */
const MAX_CACHE_AGE_MS = 70_000;
const LONG_STEP_MS = 250;
/** Nodes, VolumeAttachments, PersistentVolumes, Pods. */
const WATCHES = 4;

/** The checks that do not hold, by name, as `/readyz` says. */
async function unready(controller: RunningController): Promise<Readonly<Record<string, string>>> {
  const { status, text } = await controller.get('/readyz');
  const { ok, checks } = JSON.parse(text) as {
    ok: boolean;
    checks: readonly { name: string; ok: boolean; why: string }[];
  };
  expect(status).toBe(ok ? 200 : 503);
  return Object.fromEntries(checks.filter((check) => !check.ok).map(({ name, why }) => [name, why]));
}

async function expectLive(controller: RunningController): Promise<void> {
  expect(await controller.get('/livez')).toMatchObject({ status: 200 });
}

describe('/readyz and /livez', () => {
  it('say what a start waits for, until all of it is there', async () => {
    await using lab = await Lab.start();
    const { kube, rds } = lab.world;
    await rds.faults.down();
    const nodes = kube.faults.add(
      { path: '/api/v1/nodes' },
      { kind: 'status', status: 503, reason: 'ServiceUnavailable' },
      Number.POSITIVE_INFINITY,
    );
    const controller = lab.compose();
    controller.start();
    await lab.until('the endpoints', () => controller.controller.address !== undefined);
    await lab.runFor(500);
    expect(await unready(controller)).toEqual({
      'cluster-cache': expect.stringMatching(/nodes/),
      'storage-backend 127.0.0.1': expect.stringMatching(/^UNAVAILABLE: /),
      'startup-pass': 'The startup pass has not ended',
    });
    await expectLive(controller);

    nodes[Symbol.dispose]();
    await lab.until('the startup pass', () => controller.logged('Ran startup pass').length > 0);
    expect(await unready(controller)).toEqual({
      'storage-backend 127.0.0.1': expect.stringMatching(/^UNAVAILABLE: /),
    });

    await rds.faults.up();
    await lab.until('the controller to be ready', () => controller.isReady);
    expect(await unready(controller)).toEqual({});
    await expectLive(controller);
  });

  it('say that the backend is away, and that it is back', async () => {
    await using lab = await Lab.start();
    const { rds } = lab.world;
    const controller = await lab.ready();
    await rds.faults.down();
    await lab.until('the loss of the backend', () => !controller.isReady);
    expect(Object.keys(await unready(controller))).toEqual(['storage-backend 127.0.0.1']);
    await expectLive(controller);
    await rds.faults.up();
    await lab.until('the controller to be ready', () => controller.isReady);
    expect(await unready(controller)).toEqual({});
  });

  it('say how old the view of the cluster is once nothing proves it current', async () => {
    await using lab = await Lab.start();
    const { kube } = lab.world;
    const controller = await lab.ready({ 'max-cache-age-ms': MAX_CACHE_AGE_MS });
    await kube.faults.refuseConnections();
    await lab.runFor(MAX_CACHE_AGE_MS, LONG_STEP_MS);
    await lab.until('a stale cache', () => !controller.isReady);
    expect(await unready(controller)).toEqual({
      'cluster-cache': expect.stringMatching(/watch|list|UNAVAILABLE/),
    });
    await expectLive(controller);
    await kube.faults.acceptConnections();
    await lab.until('its watches to be back', () => kube.openWatches.length >= WATCHES);
    kube.sendBookmarks();
    await lab.until('the controller to be ready', () => controller.isReady);
  });

  it('call a standby ready once it knows who leads, and the next leader once its first pass is done', async () => {
    await using lab = await Lab.start();
    const flags = { ...STANDBY_LEASE, 'leader-election-identity': 'first' };
    const leader = await lab.ready(flags);
    const standby = await lab.ready({ ...STANDBY_LEASE, 'leader-election-identity': 'second' });
    expect(standby.controller.ready().checks.at(-1)).toEqual({
      name: 'startup-pass',
      ok: true,
      why: 'Standby; first leads',
    });
    await expectLive(standby);
    lab.world.powerOff('node-a');
    await lab.failedOver('node-a');
    expect(leader.logged('Fenced node')).toHaveLength(1);
    expect(standby.logged('Fenced node')).toEqual([]);

    await leader.stop();
    await lab.until('the standby to lead', () => standby.logged('Ran startup pass').length > 0);
    expect(standby.controller.ready().checks.at(-1)?.why).toBe('Last pass ended ok');
    expect(await unready(standby)).toEqual({});
  });

  it('are not served any more once the controller has stopped, and nothing is left of it', async () => {
    await using lab = await Lab.start();
    const controller = await lab.ready();
    controller.abort();
    expect(controller.controller.ready()).toMatchObject({ ok: false });
    expect(controller.controller.ready().checks[0]).toEqual({ name: 'running', ok: false, why: 'Stopping' });
    await controller.stop();
    expect(controller.controller.pending).toEqual([]);
    expect(controller.lines.at(-1)?.message).toBe('Stopped');
    await expect(controller.get('/readyz')).rejects.toThrow('fetch failed');
    await lab.runFor(100);
    expect(lab.world.kube.openWatches).toEqual([]);
    expect(lab.world.rds.openSessions).toBe(0);
  });
});

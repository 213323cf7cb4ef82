import { readFileSync } from 'node:fs';
import { systemClock } from '@reattach/core';
import { SimWorld, type WorldFiles, worldFlags } from '@reattach/sim-world';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseConfig } from '../config/config.ts';
import type { Check } from './check.ts';
import { runDoctor } from './run-doctor.ts';

describe('runDoctor', () => {
  let world: SimWorld;
  let files: WorldFiles;

  beforeEach(async () => {
    world = await SimWorld.start({ volumes: 2 });
    files = await world.writeFiles();
  });
  afterEach(async () => {
    await files[Symbol.asyncDispose]();
    await world[Symbol.asyncDispose]();
  });

  async function examine(...flags: readonly string[]): Promise<ReadonlyMap<string, Check>> {
    const argv = [...worldFlags(world, files), '--unsafe-compressed-times', '--mode=fence', ...flags];
    const config = parseConfig({ argv, env: {}, readFile: (path) => readFileSync(path, 'utf8') });
    const checks = await runDoctor(config, systemClock, AbortSignal.timeout(30_000));
    return new Map(checks.map((check) => [check.name, check]));
  }

  it('finds nothing wrong with a cluster and a backend that are set up', async () => {
    const checks = await examine();
    expect([...checks.values()].filter(({ state }) => state === 'failed')).toEqual([]);
    expect([...checks.keys()]).toEqual([
      'cluster reachable',
      'permissions',
      'node addresses',
      'driver rds.csi.srvlab.io',
      'backend reachable',
      'RouterOS version',
      'connection tracking',
      'exports',
      'live hosts',
      'drop rule',
      'write counters',
      'fences',
    ]);
  });

  it('prints the command for a missing drop rule, which only mode fence fails for', async () => {
    const [rule] = world.rds.device.raw.rules;
    if (rule) world.rds.device.raw.remove(rule);
    expect((await examine()).get('drop rule')).toMatchObject({
      state: 'failed',
      fix: '/ip/firewall/raw/add chain=prerouting action=drop protocol=tcp dst-port=4420 src-address-list=reattach-fenced comment="reattach"',
    });
    expect((await examine('--mode=observe')).get('drop rule')).toMatchObject({ state: 'warning' });
  });

  it('prints the command for tracking that is off', async () => {
    world.rds.device.connections.settings.enabled = 'no';
    expect((await examine()).get('connection tracking')).toMatchObject({
      state: 'failed',
      fix: '/ip/firewall/connection/tracking/set enabled=yes',
    });
  });

  it('finds the rule that hides sessions from tracking, and is content once it leaves the export port out', async () => {
    const { raw } = world.rds.device;
    raw.add({ chain: 'prerouting', action: 'notrack', protocol: 'tcp', 'dst-port': '4000-5000' });
    const check = (await examine()).get('connection tracking');
    expect(check).toMatchObject({
      state: 'failed',
      detail: expect.stringContaining('notrack'),
      fix: expect.stringMatching(
        /^\/ip\/firewall\/raw\/print where .*action=notrack; .*a list without 4420$/,
      ),
    });
    expect(world.rds.run(check?.fix?.split(';')[0] ?? '')).toMatch(/notrack +tcp +4000-5000/);
    raw.rules.at(-1)?.set('dst-port', '4000-4419');
    expect((await examine()).get('connection tracking')).toMatchObject({ state: 'ok' });
  });

  it('names nodes that the backend cannot be asked about', async () => {
    world.kube.addNode({ name: 'node-x' });
    expect((await examine()).get('node addresses')).toMatchObject({
      state: 'failed',
      detail: 'Not known for node-x',
    });
  });

  it('says why the backend does not answer, and still examines the cluster', async () => {
    await world.rds.faults.down();
    const checks = await examine();
    expect(checks.get('backend reachable')).toMatchObject({
      state: 'failed',
      detail: expect.stringContaining('ECONNREFUSED'),
    });
    expect(checks.get('node addresses')).toMatchObject({ state: 'ok' });
  });

  it('says why the cluster does not answer, and still examines the backend', async () => {
    await world.kube.faults.refuseConnections();
    const checks = await examine();
    expect(checks.get('cluster reachable')).toMatchObject({
      state: 'failed',
      fix: expect.stringContaining('--kubeconfig'),
    });
    expect(checks.get('backend reachable')).toMatchObject({ state: 'ok' });
    await world.kube.faults.acceptConnections();
  });

  it('writes nothing to either side', async () => {
    await examine();
    const writes = world.kube.requests.filter(
      ({ method, path }) => method !== 'GET' && !path.includes('accessreviews'),
    );
    expect(writes).toEqual([]);
    expect(world.rds.commands.entries.filter(({ text }) => /\/(add|remove|set)\b/.test(text))).toEqual([]);
  });
});

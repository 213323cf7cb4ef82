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

  async function examine(
    ...given: readonly (string | { readonly probe: boolean })[]
  ): Promise<ReadonlyMap<string, Check>> {
    const flags = given.filter((each) => typeof each === 'string');
    const probe = given.some((each) => typeof each === 'object');
    const argv = [...worldFlags(world, files), '--unsafe-compressed-times', '--mode=fence', ...flags];
    const config = parseConfig({ argv, env: {}, readFile: (path) => readFileSync(path, 'utf8') });
    const checks = await runDoctor(config, {
      clock: systemClock,
      signal: AbortSignal.timeout(60_000),
      probe,
    });
    return new Map(checks.map((check) => [check.name, check]));
  }

  it('finds nothing wrong with a cluster and a backend that are set up', async () => {
    const checks = await examine();
    expect([...checks.values()].filter(({ state }) => state === 'failed')).toEqual([]);
    expect([...checks.keys()]).toEqual([
      'cluster reachable',
      'Kubernetes version',
      'permissions',
      'node addresses',
      'address conflicts',
      'driver rds.csi.srvlab.io',
      'persistent volumes',
      'clocks',
      'backend reachable',
      'RouterOS version',
      'connection tracking',
      'packets seen',
      'exports',
      'live hosts',
      'drop rule',
      'write permission',
      'write counters',
      'fences',
      'sessions',
      'keep-alives',
      'fenced addresses',
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

  it('proves the write permission with an entry that it removes again', async () => {
    const check = (await examine({ probe: true })).get('write permission');
    expect(check).toMatchObject({ state: 'ok', detail: expect.stringContaining('Proved') });
    const changes = world.rds.commands.entries.filter(({ text }) => /address-list\/(add|remove)/.test(text));
    expect(changes.map(({ text }) => /192\.0\.2\.1/.test(text))).toEqual([true, true]);
    expect(world.rds.device.addressList.entries).toEqual([]);
  });

  it('fails the proof with what the backend answered', async () => {
    world.rds.faults.onCommand(/address-list\/add/, {
      kind: 'replace',
      output: 'not enough permissions (9)\r\n',
    });
    expect((await examine({ probe: true })).get('write permission')).toMatchObject({
      state: 'failed',
      detail: expect.stringContaining('not enough permissions'),
    });
  });

  it('names the session of a host that is not a node, and a volume that names no backend', async () => {
    world.rds.device.addHost({ name: 'stranger', addresses: ['10.0.7.7'] }).connect('pvc-00000000');
    world.kube.addVolume({
      name: 'pv-elsewhere',
      claim: 'data-elsewhere',
      handle: 'pv-elsewhere',
      driver: world.driver,
      attributes: { nqn: 'nqn.x', nvmeAddress: '10.99.0.1', nvmePort: '4420' },
    });
    const checks = await examine();
    expect(checks.get('sessions')).toMatchObject({
      state: 'failed',
      detail: expect.stringContaining('10.0.7.7'),
    });
    expect(checks.get('persistent volumes')).toMatchObject({
      state: 'failed',
      detail: expect.stringContaining('pv-elsewhere'),
    });
  });

  it('finds packets that pass the firewall unseen', async () => {
    world.rds.device.offload = 'bridge';
    expect((await examine()).get('packets seen')).toMatchObject({
      state: 'failed',
      fix: '/interface/bridge/settings/set use-ip-firewall=yes',
    });
  });

  it('gives a fix of its own with every check that is not ok', async () => {
    world.kube.addNode({ name: 'node-x' });
    world.rds.device.connections.settings.enabled = 'no';
    world.rds.device.addHost({ name: 'stranger', addresses: ['10.0.7.7'] }).connect('pvc-00000000');
    const bad = [...(await examine()).values()].filter(({ state }) => state !== 'ok');
    expect(bad.length).toBeGreaterThan(2);
    expect(bad.filter(({ fix = '' }) => fix === '')).toEqual([]);
    expect(new Set(bad.map(({ fix }) => fix)).size).toBe(bad.length);
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

import { writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import {
  COMPRESSED_FLAGS,
  type SimNode,
  SimWorld,
  until,
  type WorldFiles,
  worldFlags,
} from '@reattach/sim-world';
import type { AuditRecord, StateReport } from '@reattach/status-page';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cli } from './support/cli-run.ts';
import { WorldController } from './support/world-controller.ts';

const COMMENT = /^reattach\/2 id=([0-9a-f]{8}) node=(\S+) uid=(\S+) boot=(\S+) m=\S+ c=\S+ o=\S+ at=\d+$/;

describe('reattach fence and unfence', { timeout: 180_000 }, () => {
  let world: SimWorld;
  let files: WorldFiles;
  let node: SimNode;
  let flags: readonly string[];

  beforeEach(async () => {
    world = await SimWorld.start({ volumes: 3, kubevirt: true });
    files = await world.writeFiles();
    await until('the workload to run', 20_000, () => world.isSettled);
    node = world.node('node-a');
    flags = [...COMPRESSED_FLAGS, ...worldFlags(world, files)];
  });
  afterEach(async () => {
    await files[Symbol.asyncDispose]();
    await world[Symbol.asyncDispose]();
  });

  const fence = (...args: readonly string[]) => cli(['fence', ...args, ...flags]);
  const unfence = (...args: readonly string[]) => cli(['unfence', ...args, ...flags]);
  const confirmOff = (options?: { answer: string }, ...args: readonly string[]) =>
    cli(['confirm-off', 'node-a', ...args, ...flags], options);
  const entries = () =>
    world.rds.device.addressList.entries.map(({ list, address, comment = '' }) => ({
      list,
      address,
      comment,
    }));

  it('cuts a live node off with a fence that any controller knows as its own', async () => {
    const { code, err, out } = await fence('node-a', '--yes', '-o', 'json');
    expect(err).toContain('every disk of node node-a');
    expect(code).toBe(0);
    const [entry, ...others] = entries();
    expect(others).toEqual([]);
    expect(entry).toMatchObject({ list: 'reattach-fenced', address: node.address });
    const [, id, name, uid, boot] = COMMENT.exec(entry?.comment ?? '') ?? [];
    const { metadata, status } = world.kube.store.get('Node', 'node-a') ?? {};
    const packed = Buffer.from(String(metadata?.uid).replaceAll('-', ''), 'hex').toString('base64url');
    expect([name, uid, boot]).toEqual(['node-a', `@${packed}`, status?.nodeInfo?.bootID]);
    expect(JSON.parse(out)).toEqual({
      node: 'node-a',
      fences: [{ backend: '127.0.0.1', id, addresses: [node.address] }],
    });

    const again = await fence('node-a', '--yes');
    expect([again.code, again.err]).toEqual([0, 'Node node-a is fenced already at 127.0.0.1\n']);
    expect(entries()).toHaveLength(1);
  });

  it('leaves an audit record, an Event and a log line that name who did it and why', async () => {
    const reason = '--reason=power supply \u001B[2J replaced';
    expect((await fence('node-a', '--yes', reason)).err).toMatch(
      /Cut node node-a off from storage backend 127\.0\.0\.1 by hand \(fence [0-9a-f]{8}\), by \S+ at \S+: power supply \\x1b\[2J replaced/,
    );
    expect((await unfence('node-a', '--yes', '--force', reason)).code).toBe(0);
    const { out } = await cli(['history', '-o', 'json', '--http-listen=127.0.0.1:1', ...flags]);
    const { records } = JSON.parse(out) as { records: AuditRecord[] };
    const by = {
      user: expect.any(String),
      host: hostname(),
      reason: expect.stringContaining('power supply'),
    };
    expect(records).toMatchObject([
      { kind: 'fenced', node: 'node-a', backend: '127.0.0.1', by, reconcileID: 'manual' },
      { kind: 'unfenced', node: 'node-a', backend: '127.0.0.1', by },
    ]);
    const events = world.kube.store.list('Event').filter((event) => event.reason?.startsWith('Node'));
    expect(events.map((event) => event.reason)).toEqual(['NodeFenced', 'NodeUnfenced']);
    expect(JSON.stringify(events)).toContain('power supply');
    expect(JSON.stringify(events)).not.toContain('\\u001b');
  });

  it('confirms that a fenced machine is off, on every attachment of the node and for this very fence', async () => {
    const confirmed = () =>
      world.kube.store
        .list('VolumeAttachment')
        .filter(({ spec }) => spec?.nodeName === 'node-a')
        .map(({ metadata }) => metadata.annotations?.['reattach.srvlab.io/confirmed-off']);
    expect((await confirmOff(undefined, '--yes')).err).toContain('is Ready, so its machine is not off');
    world.powerOff('node-a');
    await until('the node to be lost', 20_000, () => !isNodeReady(world, 'node-a'));
    expect((await fence('node-a', '--yes')).code).toBe(0);
    const [, id] = COMMENT.exec(entries()[0]?.comment ?? '') ?? [];
    const tracked = () => world.rds.device.connections.entries.map(({ flow }) => flow.hostAddress);
    await until('its connections to be forgotten', 90_000, () => !tracked().includes(node.address));
    expect((await confirmOff({ answer: 'node-b' })).err).toContain('Nothing was changed');
    expect(confirmed().every((value) => value === undefined)).toBe(true);
    const { code, err, out } = await confirmOff(undefined, '--yes', '--reason=pulled the plug', '-o', 'json');
    expect([code, err]).toEqual([
      0,
      expect.stringMatching(/Confirmed that node node-a is off .*pulled the plug/),
    ]);
    expect(confirmed().length).toBeGreaterThan(0);
    expect(confirmed().every((value) => value === id)).toBe(true);
    expect(JSON.parse(out)).toMatchObject({ node: 'node-a', confirmed: [{ fences: [id] }] });
    const reasons = world.kube.store.list('Event').map(({ reason }) => reason);
    expect(reasons).toContain('NodeConfirmedOff');
  });

  it('refuses to confirm a machine off that is not fenced', async () => {
    world.powerOff('node-a');
    await until('the node to be lost', 20_000, () => !isNodeReady(world, 'node-a'));
    const { code, err } = await confirmOff(undefined, '--yes');
    expect([code, err]).toEqual([1, expect.stringContaining('fence it first: reattach fence node-a')]);
  });

  it('changes nothing unless the name of the node is typed', async () => {
    const wrong = await cli(['fence', 'node-a', ...flags], { answer: 'node-b' });
    expect([wrong.code, wrong.err]).toEqual([1, expect.stringContaining('Nothing was changed')]);
    const unasked = await cli(['fence', 'node-a', ...flags]);
    expect([unasked.code, unasked.err]).toEqual([2, expect.stringContaining('Expected --yes')]);
    expect(entries()).toEqual([]);
    expect((await cli(['fence', 'node-a', ...flags], { answer: 'node-a\n' })).code).toBe(0);
    expect(entries()).toHaveLength(1);
  });

  it('changes nothing when the node has booted while the question stood', async () => {
    const run = await cli(['fence', 'node-a', ...flags], { answer: rebootAndAgree });
    expect([run.code, run.err]).toEqual([1, expect.stringContaining('nothing was changed')]);
    expect(entries()).toEqual([]);
  });

  it('says that Kubernetes goes on placing pods on a node that is Ready', async () => {
    expect((await fence('node-a', '--yes')).err).toContain(
      'The node is Ready; Kubernetes goes on placing pods there',
    );
  });

  it.each<[string, () => unknown, readonly string[], number, string]>([
    ['an unknown node', () => undefined, ['node-x'], 1, 'Nothing is known of node "node-x"'],
    ['a backend that is away', () => world.rds.faults.down(), ['node-a'], 1, 'does not know the node'],
    ['a node the backend never saw', () => addStranger(), ['node-x'], 1, 'never-seen-live'],
    ['a missing drop rule', () => removeDropRule(), ['node-a'], 1, 'would cut nothing'],
    [
      'a node without addresses',
      () => world.kube.store.patch('Node', 'node-a', { status: { addresses: [] } }),
      ['node-a'],
      1,
      'No storage address of node node-a is known',
    ],
    [
      'a node whose annotation names no address',
      () => setAddresses('storage.example'),
      ['node-a'],
      1,
      'names storage addresses that are not IP addresses ("storage.example")',
    ],
    [
      'an address of another node',
      () => setAddresses(world.node('node-b').address),
      ['node-a'],
      1,
      'is claimed by node node-a and by node node-b',
    ],
    [
      'the address of a backend',
      () => setAddresses(world.rds.host),
      ['node-a'],
      1,
      'is that of backend 127.0.0.1',
    ],
    ['a node with IPv6', () => setAddresses('fd00::1'), ['node-a'], 1, 'fences are IPv4 only'],
    [
      'a node that boots from the backend',
      () => setLabel(),
      ['node-a', '--fence-never-fence=boot=backend'],
      1,
      'neverFence',
    ],
    ['a volume in a live migration', () => startMigration(), ['node-a'], 1, 'which is in a live migration'],
    [
      'an unknown backend',
      () => undefined,
      ['node-a', '--backend=west'],
      2,
      'Expected a backend among 127.0.0.1 after --backend',
    ],
  ])('is refused for %s', async (_what, prepare, args, code, message) => {
    await prepare();
    const run = await fence(...args, '--yes');
    expect(run).toMatchObject({ code, out: '' });
    expect(run.err).toContain(message);
    expect(entries()).toEqual([]);
  });

  it('goes by the backends that hold volumes of the node, unless one is named', async () => {
    const { host, port, credentials } = world.rds;
    const backend = (name: string, address: string) =>
      `  - { name: ${name}, address: "${host}:${port}", storageAddresses: ${address} }`;
    const config = join(dirname(files.kubeconfig), 'config.yaml');
    await writeFile(
      config,
      [
        'rds:',
        `  user: ${credentials.username}`,
        `  privateKeyFile: ${files.privateKey}`,
        `  hostKeyFile: ${files.hostKey}`,
        'backends:',
        backend('east', world.backendAddress),
        backend('west', '10.9.9.9'),
      ].join('\n'),
    );
    const both = [`--config=${config}`, `--kubeconfig=${files.kubeconfig}`, '--yes', '-o', 'json'];
    const backends = async (...args: readonly string[]) => {
      const { out } = await cli([...args, ...both]);
      return (JSON.parse(out) as { fences: { backend: string }[] }).fences.map((each) => each.backend);
    };
    expect(await backends('fence', 'node-a')).toEqual(['east']);
    expect(await backends('unfence', 'node-a', '--force', '--backend=west')).toEqual(['west']);
    expect(await backends('fence', 'node-a', '--backend=west')).toEqual(['west']);
  });

  it('lets a node back once it has booted, and not before', async () => {
    await fence('node-a', '--yes');
    const early = await unfence('node-a', '--yes');
    expect([early.code, early.err]).toEqual([1, expect.stringContaining('not proved clean')]);
    expect(entries()).toHaveLength(1);
    world.powerOff('node-a');
    await until('NotReady', 20_000, () => !isReady('node-a'));
    expect((await unfence('node-a', '--yes')).err).toContain('Node is not ready');
    world.powerOn('node-a');
    await until('Ready', 20_000, () => isReady('node-a'));
    const run = await cli(['unfence', 'node-a', ...flags], { answer: 'node-a' });
    expect([run.code, entries()]).toEqual([0, []]);
    expect((await unfence('node-a', '--yes')).err).toContain('Node "node-a" is not fenced');
  });

  it('lets a node back that an operator confirms as clean, or forces back, and says what that may do', async () => {
    await fence('node-a', '--yes');
    const [, id = ''] = COMMENT.exec(entries()[0]?.comment ?? '') ?? [];
    const forced = await unfence('node-a', '--yes', '--force');
    expect([forced.code, forced.err]).toEqual([
      0,
      expect.stringContaining('over what other nodes have written since'),
    ]);
    expect(entries()).toEqual([]);
    await fence('node-b', '--yes');
    const [, other = ''] = COMMENT.exec(entries()[0]?.comment ?? '') ?? [];
    expect(other).not.toBe(id);
    world.kube.store.patch('Node', 'node-b', {
      metadata: { annotations: { 'reattach.srvlab.io/clean': other } },
    });
    expect((await unfence('node-b', '--yes')).code).toBe(0);
    expect(entries()).toEqual([]);
  });

  it('does not say that nothing is fenced at a backend that cannot be read', async () => {
    await world.rds.faults.down();
    const run = await unfence('node-a', '--yes');
    expect([run.code, run.err]).toEqual([1, expect.stringContaining('Backend 127.0.0.1 could not be read')]);
  });

  /** Types the name, but only once the node has booted. */
  async function rebootAndAgree(): Promise<string> {
    const boot = () => world.kube.store.get('Node', 'node-a')?.status?.nodeInfo?.bootID;
    const before = boot();
    world.powerOff('node-a');
    world.powerOn('node-a');
    await until('the boot', 10_000, () => boot() !== before);
    return 'node-a';
  }

  function isReady(name: string): boolean {
    const conditions = world.kube.store.get('Node', name)?.status?.conditions ?? [];
    return conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
  }

  function setAddresses(addresses: string): void {
    const annotations = { 'reattach.srvlab.io/storage-addresses': addresses };
    world.kube.store.patch('Node', 'node-a', { metadata: { annotations } });
  }

  function setLabel(): void {
    world.kube.store.patch('Node', 'node-a', { metadata: { labels: { boot: 'backend' } } });
  }

  function addStranger(): void {
    world.kube.addNode({ name: 'node-x', internalIP: '10.0.0.99' });
  }

  function startMigration(): void {
    const [volume = ''] = world.attachedTo('node-a');
    world.kube.addPod({
      name: 'virt-launcher-vm',
      nodeName: 'node-a',
      hostIP: node.address,
      claims: [`data-db-${Number(volume.slice(-1))}`],
      phase: 'Pending',
      owner: { kind: 'VirtualMachineInstance', name: 'vm' },
    });
    world.kube.store.create({
      kind: 'VirtualMachineInstanceMigration',
      metadata: { name: 'move', namespace: 'default' },
      spec: { vmiName: 'vm' },
    });
    world.kube.store.patch(
      'VirtualMachineInstanceMigration',
      'move',
      { status: { phase: 'Running' } },
      'default',
    );
  }

  function removeDropRule(): void {
    const [rule] = world.rds.device.raw.rules;
    if (rule) world.rds.device.raw.remove(rule);
  }
});

async function stateOf(url: string): Promise<StateReport> {
  return (await (await fetch(`${url}/state`)).json()) as StateReport;
}

describe('a fence by hand', { timeout: 180_000 }, () => {
  it('stays while a controller in mode fence runs, until the node has booted', async () => {
    await using controller = await WorldController.start(['--mode=fence']);
    const { world, flags, url } = controller;
    expect((await cli(['fence', 'node-a', '--yes', ...flags])).code).toBe(0);
    const explain = async () => (await cli(['explain', 'node-a', `--server=${url}`])).out;
    await until('the controller to see it', 20_000, async () => (await explain()).includes('; it stays: '));
    expect((await cli(['reconcile', `--server=${url}`])).code).toBe(0);
    await until(
      'the pass',
      20_000,
      async () => (await stateOf(url)).lastPass?.reasons.includes('deadline') ?? false,
    );
    expect(world.rds.device.addressList.entries).toHaveLength(1);
    world.powerOff('node-a');
    world.powerOn('node-a');
    const history = async () => (await cli(['history', `--server=${url}`])).out;
    await until('the controller to remove it', 30_000, async () => (await history()).includes('unfenced'));
    expect(world.rds.device.addressList.entries).toEqual([]);
    expect(await history()).toMatch(
      /unfenced +fence [0-9a-f]{8} at 127\.0\.0\.1 +node-a +The node has booted since/,
    );
  });

  it('that was removed by `reattach unfence --force` is not put back by a controller that runs', async () => {
    const elected = ['--leader-election-enabled=true', '--leader-election-namespace=kube-system'];
    await using controller = await WorldController.start(['--mode=fence', ...elected]);
    const { world, flags, url, logger } = controller;
    expect((await cli(['fence', 'node-a', '--yes', ...flags])).code).toBe(0);
    const recorded = () =>
      JSON.stringify(
        world.kube.store.get('Lease', 'reattach-fences', 'kube-system')?.metadata.annotations ?? {},
      );
    const reconcile = () => cli(['reconcile', `--server=${url}`]);
    await until('the controller to record it', 60_000, async () => {
      await reconcile();
      return recorded().includes('node-a');
    });
    expect((await cli(['unfence', 'node-a', '--yes', '--force', ...flags])).code).toBe(0);
    expect(recorded()).not.toContain('node-a');
    await until('the controller to notice', 30_000, () =>
      logger.lines.some(({ message }) => message === 'Forgot fence that was removed'),
    );
    expect(world.rds.device.addressList.entries).toEqual([]);
    expect(logger.lines.filter(({ message }) => message.startsWith('Restored fence'))).toEqual([]);
  });
});

function isNodeReady({ kube }: SimWorld, name: string): boolean {
  const conditions = kube.store.get('Node', name)?.status?.conditions ?? [];
  return conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
}

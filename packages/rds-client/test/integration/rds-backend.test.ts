import type { FenceRecord } from '@reattach/core';
import { ipAddresses } from '@reattach/core';
import { FakeClock, persistentVolumeFact, RecordingLogger, RecordingTelemetry } from '@reattach/core/testing';
import { describe, expect, it } from 'vitest';
import { until } from '../support/turns.ts';
import {
  ABOUT_A,
  type BackendFixture,
  backendOf,
  DROP_RULE,
  NEVER,
  NODE_A,
  NODE_B,
  startBackend,
  startSim,
  watchFor,
} from './backend-fixture.ts';

const FENCE: FenceRecord = {
  id: '00c0ffee',
  nodeName: 'node-a',
  nodeUid: '8a2c',
  bootId: 'b-1',
  addresses: [],
  fencedAtMs: 1_767_225_600_000,
};

async function evidenceOfA({ backend }: BackendFixture): Promise<unknown> {
  return (await backend.observe(ABOUT_A, NEVER)).evidence.get('node-a');
}

describe('observe', () => {
  it('sees a live host live and a host without power silent, by the age of its session', async () => {
    await using f = await startBackend();
    const before = await f.backend.observe(ABOUT_A, NEVER);
    expect(before.evidence.get('node-a')).toMatchObject({ kind: 'live' });
    expect(before.liveHosts).toBe(2);
    f.hostA.powerOff();
    await watchFor(f, 40_000);
    const after = await f.backend.observe(ABOUT_A, NEVER);
    expect(after.evidence.get('node-a')).toMatchObject({ kind: 'silent' });
    expect(after).toMatchObject({
      liveHosts: 1,
      enforcement: { kind: 'enforced' },
      observedAtMs: f.clock.now(),
    });
    expect(f.backend.lastReading).toBe(after);
  });

  it('reads in two round trips', async () => {
    await using f = await startBackend();
    await f.backend.observe(ABOUT_A, NEVER);
    const sent = f.sim.commands.entries.length;
    await f.backend.observe(ABOUT_A, NEVER);
    expect(f.sim.commands.entries.length - sent).toBe(2);
  });

  it('asks about the ports that are exported', async () => {
    await using f = await startBackend();
    f.sim.device.addVolume({ slot: 'pvc-c', nqn: 'nqn.test:pvc-c', sizeBytes: 1024, port: 4500 });
    f.sim.device.addHost({ name: 'node-c', addresses: ['10.0.5.3'] }).connect('pvc-c');
    const reading = await f.backend.observe(ABOUT_A, NEVER);
    expect(f.backend.lastSnapshot?.sessionPorts).toEqual([4420, 4500]);
    expect(reading.liveHosts).toBe(3);
    expect(reading.enforcement).toMatchObject({
      kind: 'not-enforced',
      fix: '/ip/firewall/raw/set [find where chain=prerouting and action=drop and src-address-list=reattach-fenced] dst-port=4420,4500',
    });
  });

  it('counts addresses of one node as one live host', async () => {
    await using f = await startBackend();
    const both = { ...NODE_A, addresses: ipAddresses(['10.0.5.1', '10.0.5.2']), volumes: [] };
    expect((await f.backend.observe({ ...ABOUT_A, suspects: [both], peers: [] }, NEVER)).liveHosts).toBe(1);
  });

  it('names the volumes that it really exports', async () => {
    await using f = await startBackend();
    const volumes = ['pvc-a', 'pvc-b', 'gone'].map((volumeHandle) => ({
      volumeHandle,
      volumeAttributes: {},
      singleWriter: true,
    }));
    const query = { ...ABOUT_A, suspects: [{ ...NODE_A, volumes }] };
    expect((await f.backend.observe(query, NEVER)).volumes).toEqual(new Set(['pvc-a', 'pvc-b']));
  });

  it('calls no fence effective while the write counters of a volume of the node move, or are not shown', async () => {
    await using f = await startBackend();
    await f.backend.fence(FENCE, ipAddresses(['10.0.5.1']), NEVER);
    const stateOfA = async () => (await f.backend.observe(ABOUT_A, NEVER)).fenceStates.get('node-a');
    await f.backend.observe(ABOUT_A, NEVER);
    await watchFor(f, 40_000);
    expect(await stateOfA()).toMatchObject({ kind: 'effective' });
    f.hostB.connect('pvc-a');
    f.hostB.mount('pvc-a');
    f.hostB.write('pvc-a');
    await f.clock.advance(1_000);
    expect(await stateOfA()).toMatchObject({ kind: 'ineffective', reason: 'still-writing' });
  });

  it('calls no fence effective while a host that is not a node of the cluster is live, unless it was declared foreign', async () => {
    for (const [foreignAddresses, expected] of [
      [[], { kind: 'ineffective', reason: 'unattributed-session' }],
      [['10.0.5.8/31'], { kind: 'effective' }],
    ] as const) {
      await using f = await startBackend({}, { foreignAddresses });
      f.sim.device.addHost({ name: 'node-z', addresses: ['10.0.5.9'] }).connect('pvc-b');
      await f.backend.fence(FENCE, ipAddresses(['10.0.5.1']), NEVER);
      await watchFor(f, 40_000);
      expect(f.backend.lastReading?.fenceStates.get('node-a')).toMatchObject(expected);
    }
  });

  it('counts a flow through the device to another target for nothing', async () => {
    await using f = await startBackend();
    f.hostB.powerOff();
    f.sim.device.forward({ srcAddress: '10.0.5.7', dstAddress: '10.0.7.7' });
    await watchFor(f, 2_000);
    expect(f.backend.lastReading).toMatchObject({ unattributed: [] });
    expect(f.backend.lastSnapshot?.sessions.map(({ address }) => address)).not.toContain('10.0.5.7');
  });

  it.each(['fasttrack', 'hw-offload', 'bridge'] as const)(
    'says unknown, with the fix, while %s lets packets pass unseen',
    async (offload) => {
      await using f = await startBackend();
      f.sim.device.offload = offload;
      await f.clock.advance(61_000);
      expect((await f.backend.observe(ABOUT_A, NEVER)).evidence.get('node-a')).toMatchObject({
        kind: 'unknown',
        reason: 'not-observable',
        detail: expect.stringMatching(/; fix: \/(ip|interface)\//),
      });
    },
  );

  it('says of a damaged fence what was done to it, once in the log, and restores it', async () => {
    await using f = await startBackend();
    await f.backend.fence(FENCE, ipAddresses(['10.0.5.1']), NEVER);
    await f.backend.observe(ABOUT_A, NEVER);
    f.sim.run('/ip/firewall/address-list/set [find where list=reattach-fenced] disabled=yes');
    const damage = 'the entry of 10.0.5.1 is disabled';
    for (let time = 0; time < 2; time++) {
      expect((await f.backend.observe(ABOUT_A, NEVER)).fences).toMatchObject([{ inForce: [], damage }]);
    }
    expect(f.logger.messages('error')).toEqual(['Fence at storage backend was damaged']);
    await f.backend.fence(FENCE, ipAddresses(['10.0.5.1']), NEVER);
    f.sim.run('/ip/firewall/address-list/remove [find where list=reattach-fenced]');
    expect((await f.backend.observe(ABOUT_A, NEVER)).fences).toMatchObject([
      { damage: expect.stringContaining('was removed') },
    ]);
    await f.backend.fence(FENCE, ipAddresses(['10.0.5.1']), NEVER);
    const [fence] = (await f.backend.observe(ABOUT_A, NEVER)).fences ?? [];
    expect(fence).toMatchObject({ inForce: ipAddresses(['10.0.5.1']) });
    expect(fence).not.toHaveProperty('damage');
  });

  it('knows its hosts by what an earlier process kept', async () => {
    const kept: string[] = [];
    const history = {
      read: async () => kept.at(-1),
      write: async (text: string) => void kept.push(text),
    };
    await using f = await startBackend({}, { history });
    await until(() => kept.length > 0);
    expect(kept.at(-1)).toContain('10.0.5.1');
    f.hostA.powerOff();
    await f.clock.advance(120_000); // while no controller watches closely, its entries run out
    await using next = backendOf(f.sim, f.clock, { history });
    next.start(NEVER);
    await until(() => next.lastReading !== undefined);
    await f.clock.advance(4_000);
    expect((await next.observe(ABOUT_A, NEVER)).evidence.get('node-a')).toMatchObject({ kind: 'live' });
    await f.clock.advance(6_000);
    expect((await next.observe(ABOUT_A, NEVER)).evidence.get('node-a')).toMatchObject({ kind: 'silent' });
  });

  it('reads no less often while it watches closely than while it is idle', async () => {
    await using f = await startBackend({}, { idlePollMs: 1_000 });
    const startedAtMs = f.clock.now();
    f.backend.watch({ query: ABOUT_A, closely: true });
    for (let round = 0; round < 3; round++) {
      const before = f.backend.lastReading;
      await f.clock.advance(1_000);
      await until(() => f.backend.lastReading !== before);
    }
    expect(f.clock.now()).toBeLessThan(startedAtMs + 5_000);
  });

  it('does not claim a volume that is reached over IPv6', async () => {
    const clock = new FakeClock();
    await using sim = await startSim(clock);
    await using backend = backendOf(sim, clock, { storageAddresses: ['10.0.0.10', 'fd00::10'] });
    const claim = (nvmeAddress: string) =>
      backend.claimOf(persistentVolumeFact({ volumeAttributes: { nvmeAddress } }));
    expect([claim('10.0.0.10'), claim('fd00::10'), claim('10.0.0.11')]).toEqual(['mine', 'other', 'other']);
  });

  it('says nothing of counters a backend does not show in the form we know', async () => {
    await using f = await startBackend();
    using _refused = f.sim.faults.onCommand(
      'stats-detail',
      { kind: 'replace', output: 'bad parameter stats-detail (line 1 column 9)\r\n' },
      Infinity,
    );
    f.sim.faults.dropConnections();
    await until(() => !f.backend.health().connected);
    await f.clock.advance(2_000);
    await until(() => f.backend.health().connected);
    const reading = await f.backend.observe(ABOUT_A, NEVER);
    expect(reading.evidence.get('node-a')).toMatchObject({ kind: 'live' });
    expect(f.backend.lastSnapshot?.writeCounters.size).toBe(0);
  });

  it('says unknown while tracking is off, and counts no live hosts', async () => {
    await using f = await startBackend();
    await f.backend.observe(ABOUT_A, NEVER);
    f.sim.run('/ip/firewall/connection/tracking/set enabled=no');
    const reading = await f.backend.observe(ABOUT_A, NEVER);
    expect(reading.evidence.get('node-a')).toMatchObject({ kind: 'unknown', reason: 'not-observable' });
    expect(reading).not.toHaveProperty('liveHosts');
  });

  it('believes that two hosts fell silent together when it saw their connections end', async () => {
    await using f = await startBackend();
    await f.backend.observe(ABOUT_A, NEVER);
    f.hostA.powerOff();
    f.hostB.powerOff();
    await watchFor(f, 40_000);
    expect(await evidenceOfA(f)).toMatchObject({
      kind: 'silent',
      detail: expect.stringContaining('its own connections were seen ending'),
    });
    expect(f.backend.lastReading?.liveHosts).toBe(0);
  });

  it('still knows a node that was silent from before the backend rebooted', async () => {
    await using f = await startBackend();
    f.hostA.powerOff();
    await watchFor(f, 40_000);
    expect(await evidenceOfA(f)).toMatchObject({ kind: 'silent' });
    await f.sim.faults.reboot();
    await until(() => !f.backend.health().connected);
    await f.clock.advance(1_000);
    await until(() => f.backend.health().connected);
    await f.clock.advance(8_000);
    expect(await evidenceOfA(f)).toMatchObject({ kind: 'live' });
    expect(f.logger.messages('info')).toContain('Storage backend was restarted');
    await watchFor(f, 40_000);
    expect(await evidenceOfA(f)).toMatchObject({ kind: 'silent' });
  });

  it('is not misled by entries cut short because the node did not answer', async () => {
    await using f = await startBackend();
    await f.backend.observe(ABOUT_A, NEVER);
    f.hostA.powerOff();
    await watchFor(f, 16_000);
    const first = await evidenceOfA(f);
    await watchFor(f, 30_000);
    expect(first).not.toMatchObject({
      silentSinceMs: expect.toSatisfy((ms: number) => ms < f.clock.now() - 62_000),
    });
    expect(await evidenceOfA(f)).toMatchObject({ kind: 'silent' });
  });

  it('rejects with the reason of its caller and nothing else', async () => {
    await using f = await startBackend();
    await f.backend.observe(ABOUT_A, NEVER);
    await expect(f.backend.observe(ABOUT_A, AbortSignal.abort(new Error('gave up')))).rejects.toThrow(
      'gave up',
    );
    const reading = await f.backend.observe(
      { suspects: [NODE_A, NODE_B].map((node) => ({ ...node, volumes: [] })), peers: [] },
      NEVER,
    );
    expect([...reading.evidence.keys()]).toEqual(['node-a', 'node-b']);
  });

  it('keeps the last complete reading when the backend cannot be read, and says unknown', async () => {
    await using f = await startBackend();
    const complete = await f.backend.observe(ABOUT_A, NEVER);
    await f.sim.faults.down();
    const failed = await f.backend.observe(ABOUT_A, NEVER);
    expect(failed.evidence.get('node-a')).toMatchObject({
      kind: 'unknown',
      reason: 'backend-unreachable',
      detail: expect.stringContaining('at backend rds-1 failed'),
    });
    expect(Object.keys(failed)).toEqual(['observedAtMs', 'evidence', 'fenceStates', 'unattributed']);
    expect(f.backend.lastReading).toBe(complete);
    expect(f.logger.messages('warn')).toContain('Storage backend was not read');
  });

  it('answers two observers at once', async () => {
    await using f = await startBackend();
    const readings = await Promise.all([
      f.backend.observe(ABOUT_A, NEVER),
      f.backend.observe(ABOUT_A, NEVER),
    ]);
    expect(readings.map(({ evidence }) => evidence.get('node-a'))).toEqual([
      expect.objectContaining({ kind: 'live' }),
      expect.objectContaining({ kind: 'live' }),
    ]);
  });
});

describe('fence', () => {
  it('cuts the node off, is read back, and is taken away again', async () => {
    await using f = await startBackend();
    await f.backend.fence(FENCE, ipAddresses(['10.0.5.1']), NEVER);
    const fenced = await f.backend.observe(ABOUT_A, NEVER);
    expect(fenced.fences).toEqual([
      {
        ...FENCE,
        addresses: ipAddresses(['10.0.5.1']),
        inForce: ipAddresses(['10.0.5.1']),
        seenSinceMs: f.clock.now(),
      },
    ]);
    expect(f.hostA.write('pvc-a')).toBe(false);
    const [fence] = fenced.fences ?? [];
    if (fence) await f.backend.unfence(fence, NEVER);
    expect((await f.backend.observe(ABOUT_A, NEVER)).fences).toEqual([]);
  });

  it.each([
    ['in force is effective', true, { kind: 'effective' }],
    ['without the drop rule is not', false, { kind: 'ineffective', reason: 'not-enforced' }],
  ])('%s after a reboot of the backend, which ended every command', async (_what, isEnforced, expected) => {
    await using f = await startBackend();
    await f.backend.observe(ABOUT_A, NEVER);
    await f.backend.fence(FENCE, ipAddresses(['10.0.5.1']), NEVER);
    f.hostA.powerOff();
    await f.sim.faults.reboot();
    if (!isEnforced) f.sim.run('/ip/firewall/raw/remove [find comment="reattach"]');
    for (let seconds = 0; seconds < 60; seconds += 5) {
      await f.clock.advance(5_000);
      await f.backend.observe(ABOUT_A, NEVER);
    }
    expect(await evidenceOfA(f)).toMatchObject({ kind: 'silent' });
    expect(f.backend.lastReading?.fenceStates.get('node-a')).toMatchObject(expected);
  });

  it.each([
    ['was removed', '/ip/firewall/raw/remove [find action=drop]'],
    ['was disabled', '/ip/firewall/raw/disable [find action=drop]'],
    ['was narrowed', '/ip/firewall/raw/set [find action=drop] in-interface=ether9'],
    [
      'is bypassed by an earlier rule',
      '/ip/firewall/raw/add chain=prerouting action=accept protocol=tcp place-before=0',
    ],
  ])('puts back a drop rule that %s, as often as it happens', async (_what, damage) => {
    await using f = await startBackend();
    await f.backend.observe(ABOUT_A, NEVER);
    await f.backend.fence(FENCE, ipAddresses(['10.0.5.1']), NEVER);
    for (let time = 0; time < 3; time++) {
      f.sim.run(damage);
      expect((await f.backend.observe(ABOUT_A, NEVER)).enforcement).toMatchObject({ kind: 'not-enforced' });
      await f.backend.fence(FENCE, ipAddresses(['10.0.5.1']), NEVER);
      expect((await f.backend.observe(ABOUT_A, NEVER)).enforcement).toEqual({ kind: 'enforced' });
      expect(f.hostA.write('pvc-a')).toBe(false);
    }
    const drops = f.sim.device.raw.rules.filter(({ properties }) => properties.get('action') === 'drop');
    expect(drops.length).toBeLessThanOrEqual(2); // the operator's and one of ours: they do not pile up
  });

  it('keeps entries of the same fence and adds only what is missing', async () => {
    await using f = await startBackend();
    await f.backend.fence(FENCE, ipAddresses(['10.0.5.1']), NEVER);
    await f.backend.fence(
      { ...FENCE, fencedAtMs: 1_767_225_700_000 },
      ipAddresses(['10.0.5.1/32', '10.0.6.1', '10.0.6.1']),
      NEVER,
    );
    const entries = f.sim.device.addressList.entries.map(({ address, comment }) => [
      address,
      comment?.slice(-13),
    ]);
    expect(entries).toEqual([
      ['10.0.5.1', '1767225600000'],
      ['10.0.6.1', '1767225700000'],
    ]);
    const { fences } = await f.backend.observe(ABOUT_A, NEVER);
    expect(fences).toMatchObject([
      { inForce: ipAddresses(['10.0.5.1', '10.0.6.1']), seenSinceMs: f.clock.now() },
    ]);
  });

  it.each([
    ['disabled', { disabled: true, comment: 'x' }, 'disabled entry with comment "x"'],
    ['dynamic', { timeoutMs: 60_000, comment: 'x' }, 'dynamic entry with comment "x"'],
    ['foreign', { comment: 'by hand' }, 'foreign entry with comment "by hand"'],
  ])('does not fence when a %s entry is in the way', async (_, entry, obstacle) => {
    await using f = await startBackend();
    f.sim.device.addressList.add({ list: 'reattach-fenced', address: '10.0.5.1', ...entry });
    await expect(f.backend.fence(FENCE, ipAddresses(['10.0.5.1']), NEVER)).rejects.toMatchObject({
      code: 'NOT_FENCED',
      outcome: 'not-applied',
      message: expect.stringContaining(`10.0.5.1 (${obstacle})`),
    });
    expect(f.sim.device.addressList.entries).toHaveLength(1);
  });

  it('says unknown once something was added', async () => {
    await using f = await startBackend();
    f.sim.device.addressList.add({ list: 'reattach-fenced', address: '10.0.6.1', comment: 'by hand' });
    const fencing = f.backend.fence(FENCE, ipAddresses(['10.0.5.1', '10.0.6.1']), NEVER);
    await expect(fencing).rejects.toMatchObject({ code: 'NOT_FENCED', outcome: 'unknown' });
  });

  it.each([
    ['no address', []],
    ['an IPv6 address', ['fd00::1']],
    ['a prefix', ['10.0.5.0/24']],
    ['a command', ['10.0.5.1; /system/reboot']],
  ])('sends nothing for %s', async (_, addresses) => {
    await using f = await startBackend();
    await f.backend.observe(ABOUT_A, NEVER);
    const sent = f.sim.commands.entries.length;
    const fencing = f.backend.fence(FENCE, ipAddresses(addresses), NEVER);
    await expect(fencing).rejects.toMatchObject({ code: 'INVALID_VALUE', outcome: 'not-applied' });
    expect(f.sim.commands.entries).toHaveLength(sent);
  });

  it('counts the time of a fence from when the drop rule is in force', async () => {
    await using f = await startBackend();
    await f.backend.fence(FENCE, ipAddresses(['10.0.5.1']), NEVER);
    f.sim.run('/ip/firewall/raw/remove [find where chain=prerouting]');
    const unenforced = await f.backend.observe(ABOUT_A, NEVER);
    expect(unenforced.enforcement).toEqual({
      kind: 'not-enforced',
      detail: expect.stringContaining('no drop rule'),
      fix: DROP_RULE,
    });
    await f.clock.advance(30_000);
    f.sim.run(DROP_RULE);
    const enforced = await f.backend.observe(ABOUT_A, NEVER);
    expect(enforced).toMatchObject({
      enforcement: { kind: 'enforced' },
      fences: [{ seenSinceMs: f.clock.now() }],
    });
  });
});

describe('unfence', () => {
  it('removes exactly the entries of that fence', async () => {
    await using f = await startBackend();
    await f.backend.fence(FENCE, ipAddresses(['10.0.5.1', '10.0.6.1']), NEVER);
    await f.backend.fence({ ...FENCE, id: 'deadbeef', nodeName: 'node-b' }, ipAddresses(['10.0.5.2']), NEVER);
    f.sim.device.addressList.add({ list: 'reattach-fenced', address: '10.0.7.1', comment: 'by hand' });
    await f.backend.unfence({ ...FENCE, addresses: ipAddresses([]), inForce: [], seenSinceMs: 0 }, NEVER);
    expect(f.sim.device.addressList.entries.map(({ address }) => address)).toEqual(['10.0.5.2', '10.0.7.1']);
    await f.backend.unfence({ ...FENCE, addresses: ipAddresses([]), inForce: [], seenSinceMs: 0 }, NEVER);
  });

  it('is an error when the read-back still shows one', async () => {
    await using f = await startBackend();
    await f.backend.fence(FENCE, ipAddresses(['10.0.5.1']), NEVER);
    f.sim.faults.onCommand('remove', { kind: 'replace', output: 'placeholder\r\n' });
    const unfencing = f.backend.unfence(
      { ...FENCE, addresses: ipAddresses([]), inForce: [], seenSinceMs: 0 },
      NEVER,
    );
    await expect(unfencing).rejects.toMatchObject({ code: 'INCOMPLETE', outcome: 'unknown' });
  });
});

describe('start', () => {
  it('learns at once, and every minute, who is there, so that a node lost later was seen', async () => {
    await using f = await startBackend();
    await until(() => f.backend.lastReading !== undefined);
    const first = f.backend.lastReading;
    await f.clock.advance(60_000);
    await until(() => f.backend.lastReading !== first);
    expect(f.backend.health()).toEqual({
      connected: true,
      detail: 'RouterOS 7.24.2 (stable), read by serialize',
      lastReadingAtMs: f.clock.now(),
    });
    f.hostA.disconnect('pvc-a');
    await f.clock.advance(30_000);
    await f.backend.observe(ABOUT_A, NEVER);
    await f.clock.advance(6_000);
    expect(await evidenceOfA(f)).toMatchObject({ kind: 'silent' });
  });

  it('works when the backend is down at the start, and says when it came up', async () => {
    const clock = new FakeClock();
    await using sim = await startSim(clock);
    await using backend = backendOf(sim, clock);
    await sim.faults.down();
    let reconnects = 0;
    backend.onReconnect(() => void (reconnects += 1));
    backend.start(NEVER);
    await until(() => backend.health().detail.includes('UNAVAILABLE'));
    expect(backend.lastReading).toBeUndefined();
    await sim.faults.up();
    await clock.advance(1_000);
    await until(() => backend.lastReading !== undefined);
    expect(reconnects).toBe(1);
  });

  it('ends with its signal and leaves nothing behind', async () => {
    const clock = new FakeClock();
    const sim = await startSim(clock);
    const backend = backendOf(sim, clock);
    const stop = new AbortController();
    backend.start(stop.signal);
    await until(() => backend.lastReading !== undefined);
    stop.abort(new Error('stopped'));
    await until(() => sim.openSessions === 0 && !backend.health().connected);
    await backend[Symbol.asyncDispose]();
    await backend[Symbol.asyncDispose]();
    await sim[Symbol.asyncDispose]();
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('the connection', () => {
  it('is refused to a backend with another host key, loudly, and not tried again for a minute', async () => {
    const clock = new FakeClock();
    const logger = new RecordingLogger();
    await using sim = await startSim(clock);
    await using other = await startSim(clock);
    await using backend = backendOf(sim, clock, { hostKey: other.hostKeyFingerprint, logger });
    backend.start(NEVER);
    const { evidence } = await backend.observe(ABOUT_A, NEVER);
    expect(evidence.get('node-a')).toMatchObject({
      reason: 'backend-unreachable',
      detail: expect.stringContaining(
        `the backend shows host key ${sim.hostKeyFingerprint}, pinned is ${other.hostKeyFingerprint}`,
      ),
    });
    await until(() => logger.messages('error').length === 1);
    await clock.advance(59_000);
    expect(logger.messages('error')).toHaveLength(1);
    expect(sim.commands.entries).toEqual([]);
  });

  it.each(['hostKey', 'hostKeyFingerprint'] as const)(
    'is made to the backend whose %s was pinned',
    async (form) => {
      const clock = new FakeClock();
      await using sim = await startSim(clock);
      await using backend = backendOf(sim, clock, { hostKey: sim[form] });
      backend.start(NEVER);
      expect((await backend.observe(ABOUT_A, NEVER)).observedAtMs).toBe(clock.now());
      expect(backend.health().connected).toBe(true);
    },
  );

  it('says so when the backend refuses the key, without showing it', async () => {
    const clock = new FakeClock();
    await using sim = await startSim(clock);
    await using other = await startSim(clock);
    const { privateKey } = other.credentials;
    await using backend = backendOf(sim, clock, { privateKey });
    backend.start(NEVER);
    const { evidence } = await backend.observe(ABOUT_A, NEVER);
    const seen = evidence.get('node-a');
    expect(seen).toMatchObject({
      reason: 'backend-unreachable',
      detail: expect.stringContaining('AUTH_REFUSED'),
    });
    expect(JSON.stringify(seen)).not.toContain(privateKey.split('\n')[1]);
  });

  it.each(['reset', 'silent', 'session-limit', 'channel'] as const)(
    'survives a backend that answers with: %s',
    async (kind) => {
      const clock = new FakeClock();
      await using sim = await startSim(clock);
      await using backend = backendOf(sim, clock);
      const rule = sim.faults.onConnection({ kind });
      backend.start(NEVER);
      const observing = backend.observe(ABOUT_A, NEVER);
      await until(() => rule.hits === 1);
      if (kind === 'silent') await clock.advance(10_000);
      expect((await observing).evidence.get('node-a')).toMatchObject({ kind: 'unknown' });
      await until(() => !backend.health().connected);
      await clock.advance(1_000);
      await until(() => backend.lastReading !== undefined);
    },
  );

  it('notices a path that died in silence by the limit of the command', async () => {
    await using f = await startBackend();
    await f.backend.observe(ABOUT_A, NEVER);
    {
      using _frozen = f.sim.faults.freeze();
      const observing = f.backend.observe(ABOUT_A, NEVER);
      await f.clock.advance(10_000);
      expect((await observing).evidence.get('node-a')).toMatchObject({
        detail: expect.stringContaining('TIMEOUT'),
      });
    }
    await until(() => f.backend.health().detail.includes('TIMEOUT'));
    await f.clock.advance(1_000);
    await until(() => f.backend.health().connected);
  });
});

describe('telemetry', () => {
  it('has a span and a duration for each command, with the code of a failure', async () => {
    using telemetry = new RecordingTelemetry();
    await using f = await startBackend();
    await f.backend.observe(ABOUT_A, NEVER);
    f.sim.faults.onCommand('fences=', { kind: 'garbage' });
    await f.backend.observe(ABOUT_A, NEVER);
    const spans = telemetry.spans.filter(({ name }) => name === 'exec read backend');
    expect(spans.at(-1)).toMatchObject({
      attributes: { 'server.address': '127.0.0.1', 'server.port': f.sim.port, 'error.type': 'MALFORMED' },
      ended: true,
    });
    expect(spans[0]?.attributes).not.toHaveProperty('error.type');
    const failed = telemetry.measurements.filter(
      ({ attributes }) => attributes['error.type'] === 'MALFORMED',
    );
    expect(failed).toEqual([expect.objectContaining({ instrument: 'reattach.ssh.command.duration' })]);
  });
});

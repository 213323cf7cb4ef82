import { describe, expect, it } from 'vitest';
import { ABOUT_A, NEVER, RECORD, TargetWorld } from '../test/support/target-world.ts';

/** A world in which both hosts are connected and were read for half a minute. */
async function settled(options: ConstructorParameters<typeof TargetWorld>[0] = {}): Promise<TargetWorld> {
  const world = new TargetWorld(options);
  world.backend.start(NEVER);
  await world.clock.advance(0);
  await world.observeFor(30_000);
  return world;
}

const evidenceOf = async (world: TargetWorld) => (await world.read()).evidence.get('node-a')?.kind;
const fenceOf = async (world: TargetWorld) => (await world.read()).fenceStates.get('node-a');

describe('a Linux target', () => {
  it('calls a host with an idle session live, and names its volume', async () => {
    const world = await settled();
    const reading = await world.read();
    expect(reading.evidence.get('node-a')?.kind).toBe('live');
    expect(reading.volumes).toEqual(new Set(['tank/a']));
    expect(reading.liveHosts).toBe(2);
    expect(reading.unattributed).toEqual([]);
  });

  it('calls a host silent once it lost power, never before the activity window is over', async () => {
    const world = await settled();
    world.a.powerOff();
    const silentAtMs = [];
    for (let ms = 0; ms < 60_000; ms += 2_000) {
      if ((await evidenceOf(world)) === 'silent') silentAtMs.push(ms);
      await world.clock.advance(2_000);
    }
    expect(silentAtMs[0]).toBeGreaterThanOrEqual(10_000);
    expect(silentAtMs[0]).toBeLessThanOrEqual(40_000);
  });

  it('never calls a living host with rare keep-alives silent', async () => {
    const world = await settled({ keepAliveTimeoutMs: 60_000 });
    for (let ms = 0; ms < 300_000; ms += 5_000) {
      expect(await evidenceOf(world)).not.toBe('silent');
      await world.clock.advance(5_000);
    }
  });

  it('reports a live session of no known node, which rules out silence', async () => {
    const world = await settled();
    const stranger = world.device.addHost({ name: 'stranger', addresses: ['10.0.1.11'] });
    stranger.connect('pvc-b');
    world.a.powerOff();
    const reading = await world.observeFor(60_000);
    expect(reading.unattributed.map(({ address }) => address.value)).toEqual(['10.0.1.11']);
    expect(reading.evidence.get('node-a')).toMatchObject({ kind: 'unknown', reason: 'unattributed-session' });
  });

  it('is effective once no socket of the fenced node is left, and no packet of it passes', async () => {
    const world = await settled();
    expect(await fenceOf(world)).toMatchObject({
      kind: 'open',
      addresses: [{ kind: 'ip', value: '10.0.0.11' }],
    });
    await world.backend.fence(RECORD, RECORD.addresses, NEVER);
    expect(world.device.blocks('10.0.0.11')).toBe(true);
    expect(await fenceOf(world)).toMatchObject({ kind: 'quiescing' });
    await world.observeFor(60_000);
    expect(world.device.target.sockets.map(({ flow }) => flow.hostAddress)).not.toContain('10.0.0.11');
    expect(await fenceOf(world)).toMatchObject({
      kind: 'effective',
      why: expect.stringContaining('no socket of the node left'),
    });
  });

  it.each([15_000, 45_000])(
    'is not effective before the last accepted write of a disk of %d ms has landed',
    async (writeServiceMs) => {
      const world = await settled({ writeServiceMs });
      world.a.write('pvc-a');
      await world.clock.advance(1);
      await world.backend.fence(RECORD, RECORD.addresses, NEVER);
      const volume = world.device.volume('pvc-a');
      let effectiveAtMs: number | undefined;
      for (let ms = 0; ms < 180_000 && effectiveAtMs === undefined; ms += 1_000) {
        const state = await fenceOf(world);
        if (state?.kind === 'effective') effectiveAtMs = ms;
        else await world.clock.advance(1_000);
      }
      expect(effectiveAtMs).toBeGreaterThanOrEqual(writeServiceMs - 1_000);
      expect(volume?.unfinishedWrites).toBe(0);
    },
  );

  it('reports a flushed ruleset as damage, and restores it with the next fence', async () => {
    const world = await settled();
    await world.backend.fence(RECORD, RECORD.addresses, NEVER);
    await world.observeFor(60_000);
    world.target.table.flush();
    const reading = await world.read();
    expect(reading.enforcement).toMatchObject({ kind: 'not-enforced' });
    expect(reading.fences).toMatchObject([{ id: RECORD.id, damage: expect.any(String), inForce: [] }]);
    expect((await fenceOf(world))?.kind).toBe('ineffective');
    await world.backend.fence(RECORD, RECORD.addresses, NEVER);
    expect((await world.read()).enforcement).toEqual({ kind: 'enforced' });
    expect(world.device.blocks('10.0.0.11')).toBe(true);
  });

  it('does not count a drop rule with a further condition', async () => {
    const world = await settled();
    await world.backend.fence(RECORD, RECORD.addresses, NEVER);
    world.target.table.narrow({ match: { op: '==', left: { meta: { key: 'day' } }, right: 0 } });
    expect((await world.read()).enforcement).toMatchObject({ kind: 'not-enforced' });
  });

  it.each([
    ['unit', 'enforced'],
    ['none', 'not-enforced'],
  ] as const)('after a reboot of the target with persistence %s it is %s', async (persistence, kind) => {
    const world = await settled();
    world.target.persistence = persistence;
    await world.backend.fence(RECORD, RECORD.addresses, NEVER);
    world.device.stop();
    await world.clock.advance(1_000);
    world.device.boot();
    expect((await world.read()).enforcement?.kind).toBe(kind);
  });

  it('unfences exactly that fence', async () => {
    const world = await settled();
    await world.backend.fence(RECORD, RECORD.addresses, NEVER);
    const other = { ...RECORD, id: '1badf00d', nodeName: 'node-z' };
    await world.backend.fence(other, RECORD.addresses, NEVER);
    const [fence] = (await world.read()).fences ?? [];
    if (!fence) throw new TypeError('Expected a fence');
    await world.backend.unfence(fence, NEVER);
    expect((await world.read()).fences?.map(({ id }) => id)).toEqual([other.id]);
    expect(world.device.blocks('10.0.0.11')).toBe(true);
  });

  it('keeps the record of a fence in the target', async () => {
    const world = await settled();
    await world.backend.fence(RECORD, RECORD.addresses, NEVER);
    expect((await world.read()).fences?.[0]).toMatchObject(RECORD);
  });

  it('refuses an address that it cannot fence, before it sends anything', async () => {
    const world = await settled();
    const before = world.session.commands.length;
    await expect(world.backend.fence(RECORD, [{ kind: 'nqn', value: 'nqn.x' }], NEVER)).rejects.toMatchObject(
      {
        code: 'INVALID_VALUE',
        outcome: 'not-applied',
      },
    );
    expect(world.session.commands.length).toBe(before);
  });

  it('throws when the read-back does not show the fence', async () => {
    const world = await settled();
    const answer = world.session.answer;
    world.session.answer = async (request) => {
      const text = await answer(request);
      return request.startsWith('fence') ? text.replaceAll('"10.0.0.11"', '"10.0.0.99"') : text;
    };
    await expect(world.backend.fence(RECORD, RECORD.addresses, NEVER)).rejects.toMatchObject({
      outcome: 'unknown',
    });
  });

  it('answers with unknown evidence when the reply is not complete', async () => {
    const world = await settled();
    world.session.answer = () => 'reattach-target 1 read ';
    const reading = await world.backend.observe(ABOUT_A, NEVER);
    expect(reading.evidence.get('node-a')).toMatchObject({
      kind: 'unknown',
      reason: 'output-not-understood',
    });
    expect(reading.fenceStates.size).toBe(0);
  });
});

import { FakeClock } from '@reattach/core/testing';
import { describe, expect, it } from 'vitest';
import { chaosSchedule, RdsSim } from './index.ts';
import { Playground } from './playground.ts';

describe('Playground', () => {
  it('writes with every host, and shows the corruption a move without a fence leads to', async () => {
    const clock = new FakeClock();
    await using sim = await RdsSim.start({ clock });
    using playground = new Playground(sim, clock);
    await clock.advance(3_000);
    expect(playground.execute('status')).toContain('accepted writes: 9, double writes: 0');
    playground.execute('cut node-a');
    await clock.advance(1_000);
    expect(playground.execute('status')).toMatch(/node-a 10\.0\.5\.1 cut {2}pvc-a connected, 1 dirty/);
    playground.execute('move pvc-a node-b');
    await clock.advance(1_000);
    playground.execute('heal node-a');
    await clock.advance(30_000);
    expect(sim.oracle.doubleWrites).toBeGreaterThan(0);
  });

  it('the same behind a fence corrupts nothing', async () => {
    const clock = new FakeClock();
    await using sim = await RdsSim.start({ clock });
    using playground = new Playground(sim, clock);
    playground.execute('cut node-a');
    sim.run('/ip/firewall/address-list/add list=reattach-fenced address=10.0.5.1');
    playground.execute('move pvc-a node-b');
    playground.execute('heal node-a');
    await clock.advance(60_000);
    expect(sim.oracle.doubleWrites).toBe(0);
    expect(playground.execute('off node-a')).toContain('node-a 10.0.5.1 off');
  });

  it('answers what it does not understand with what it does', async () => {
    const clock = new FakeClock();
    await using sim = await RdsSim.start({ clock });
    using playground = new Playground(sim, clock);
    for (const line of ['what', 'off', 'off node-z', 'move no-such node-a', 'dance node-a']) {
      expect(playground.execute(line)).toBe(playground.help);
    }
    expect(playground.execute(' ')).toBe('');
  });

  it('reports the faults of a chaos schedule', async () => {
    const clock = new FakeClock();
    await using sim = await RdsSim.start({ clock });
    using playground = new Playground(sim, clock);
    const reported: string[] = [];
    playground.startChaos(3, (text) => reported.push(text));
    await clock.advance(60_000);
    const due = chaosSchedule({ seed: 3, durationMs: 60_000 }).filter(({ afterMs }) => afterMs <= 60_000);
    expect(reported).toEqual(due.map(({ name }) => name));
    expect(reported.length).toBeGreaterThan(0);
  });
});

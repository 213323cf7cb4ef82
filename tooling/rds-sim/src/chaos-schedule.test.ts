import { FakeClock } from '@reattach/core/testing';
import { describe, expect, it } from 'vitest';
import { chaosSchedule } from './chaos-schedule.ts';
import { RdsSim } from './index.ts';
import { SshClient } from './ssh-client.test-support.ts';

const names = (seed: number) => chaosSchedule({ seed }).map(({ name, afterMs }) => `${afterMs} ${name}`);

describe('chaosSchedule', () => {
  it('is the same for the same seed, another for another', () => {
    expect(names(1)).toEqual(names(1));
    expect(names(1)).not.toEqual(names(2));
  });

  it('begins all trouble within its time, and over many seeds everything happens', () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 50; seed++) {
      for (const { name = '', afterMs } of chaosSchedule({ seed, durationMs: 100_000, longestMs: 5_000 })) {
        seen.add(name);
        expect(afterMs).toBeLessThanOrEqual(105_000);
      }
    }
    expect([...seen].filter((name) => name.startsWith('command '))).toHaveLength(9);
    expect([...seen].filter((name) => name.startsWith('connection '))).toHaveLength(5);
    expect([...seen]).toEqual(expect.arrayContaining(['drop', 'reboot', 'freeze', 'thaw', 'down', 'up']));
  });

  it('leaves a device that works once it is over, and no timer', async () => {
    for (let seed = 0; seed < 10; seed++) {
      const clock = new FakeClock();
      await using sim = await RdsSim.start({ clock });
      sim.faults.schedule(chaosSchedule({ seed }));
      await clock.advance(700_000);
      sim.faults.clear();
      await sim.faults.up(); // a port that closed in the last turn is open before a client connects
      await using client = await SshClient.connect(sim);
      expect((await client.exec(':put works')).output).toBe('works\r\n');
      expect(clock.pendingTimers).toBe(0);
    }
  });
});

import { eventOf, HOSTS, readRecording } from '@reattach/recordings';
import { describe, expect, it } from 'vitest';
import { type HostName, recorded, timeOf } from './compare.ts';
import { adminAgeSeconds, Lab } from './lab.ts';
import { rowsNow, simulatedRows } from './queue-steps.ts';

describe('connection tracking, next to the kernel', () => {
  it('T: entries freeze and age while only the raw rule is left, and go on afterwards', async () => {
    const recording = readRecording('T');
    const [offMs, onMs] = [
      eventOf(recording, 'only-raw-rule-left').atMs,
      eventOf(recording, 'tracking-rule-back').atMs,
    ];
    const kernelAges = recorded('T', 'b', offMs, onMs - offMs)
      .map(({ rows }) => adminAgeSeconds(rows))
      .filter((age) => age > 0);
    using lab = new Lab({ tracking: { enabled: 'auto' } });
    const rule = lab.device.filter.add({ chain: 'input', action: 'accept' });
    lab.host('b', 'vol3');
    await lab.clock.advance(4_000);
    lab.device.filter.remove(rule);
    const simulated = await simulatedRows(lab.device, lab.clock, HOSTS.b, onMs - offMs);
    const simulatedAges = simulated.map(({ rows }) => adminAgeSeconds(rows));
    expect(Math.abs(Math.max(...simulatedAges) - Math.max(...kernelAges))).toBeLessThanOrEqual(2);
    lab.device.filter.add({ chain: 'input', action: 'accept' });
    await lab.clock.advance(3_000);
    expect(adminAgeSeconds(rowsNow(lab.device, lab.clock, HOSTS.b))).toBeLessThanOrEqual(2);
  });

  it('G: a flushed table is learned again; an idle I/O queue is missing, a row may lack a reply or be reversed', async () => {
    const { samples, events } = readRecording('G');
    const flushes = events.filter(({ kind }) => kind === 'flush');
    const rows = samples
      .filter(({ atMs }) => flushes.some((flush) => atMs > flush.atMs && atMs < flush.atMs + 3_000))
      .flatMap(({ conntrack }) => conntrack);
    const kernel = {
      unreplied: rows.some((row) => row.unreplied && row.timeoutSeconds <= 300),
      reversed: rows.some(({ original }) => original.srcPort === 4420),
      idleQueue: rows.some(({ hostAddress, hostPort }) => hostAddress === HOSTS.b && hostPort === 39_548),
    };
    expect(kernel).toEqual({ unreplied: true, reversed: true, idleQueue: false });
    using lab = new Lab({ writeServiceMs: 100 });
    const a = lab.host('a', 'vol1');
    const seen = { unreplied: false, reversed: false, idleQueue: false };
    const idle = lab.host('b', 'vol1');
    const idlePort = lab.device.target.sockets.at(-1)?.flow.hostPort;
    for (let flush = 0; flush < 20; flush++) {
      a.write('vol1');
      await lab.clock.advance(47 * (flush % 5));
      lab.device.connections.clear();
      for (let step = 0; step < 30; step++) {
        await lab.clock.advance(20);
        for (const entry of lab.device.connections.entries) {
          const remainingMs = entry.expiresAtMs - lab.clock.now();
          if (!entry.hasSeenReply && remainingMs <= 300_000) seen.unreplied = true;
          if (!entry.isHostOriginal) seen.reversed = true;
          if (entry.flow.hostPort === idlePort) seen.idleQueue = true;
        }
      }
    }
    expect(idle.connected('vol1')).toBe(true);
    expect(seen).toEqual(kernel);
  });

  it('G: the target reboots: no entries, hosts are back soon after', async () => {
    const recording = readRecording('G');
    const atMs = timeOf('G', 'target-reboot');
    const upMs = 21_300;
    const backMs = (name: HostName) => {
      const back = recording.samples.find(
        (sample) =>
          sample.targetBoot === 2 && sample.conntrack.some((row) => row.hostAddress === HOSTS[name]),
      );
      return (back?.atMs ?? Number.NaN) - atMs - upMs;
    };
    using lab = new Lab();
    lab.host('b', 'vol1');
    lab.host('c', 'vol2', { keepAliveTimeoutMs: 30_000 });
    await lab.clock.advance(60_000);
    lab.device.stop();
    await lab.clock.advance(upMs);
    lab.device.boot();
    expect(lab.device.connections.entries).toEqual([]);
    for (const [name, boundMs] of [
      ['b', 8_100],
      ['c', 31_000],
    ] as const) {
      expect(backMs(name)).toBeLessThan(boundMs);
      const startMs = lab.clock.now();
      while (
        rowsNow(lab.device, lab.clock, HOSTS[name]).length === 0 &&
        lab.clock.now() - startMs < boundMs
      ) {
        await lab.clock.advance(100);
      }
      expect(rowsNow(lab.device, lab.clock, HOSTS[name])).toHaveLength(2);
    }
  });
});

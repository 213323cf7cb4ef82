import { eventOf, HOSTS, type RecordingName, readRecording, writesLanded } from '@reattach/recordings';
import { describe, expect, it } from 'vitest';
import { type HostName, replay, type Step, WINDOW_MS } from '../support/replay.ts';

const POLLS = [500, 2_000, 5_000] as const;
const ALL: readonly RecordingName[] = ['A', 'A3', 'B', 'C', 'D', 'D2', 'G', 'P', 'T', 'T2'];

/** When packets of a host passed, as every sample of the recording shows it. */
function packetsOf(name: RecordingName, host: HostName): readonly number[] {
  const counted = new Map<string, number>();
  return readRecording(name).samples.flatMap(({ atMs, conntrack }) => {
    let moved = false;
    for (const row of conntrack) {
      if (row.hostAddress !== HOSTS[host]) continue;
      const key = `${row.hostPort} ${row.original.srcPort}`;
      moved ||= (counted.get(key) ?? -1) < row.hostPackets;
      counted.set(key, row.hostPackets);
    }
    return moved ? [atMs] : [];
  });
}

function kindsOf(steps: readonly Step[], host: HostName): ReadonlySet<string | undefined> {
  return new Set(steps.map(({ reading }) => reading.evidence.get(host)?.kind));
}

/** When a host was first called silent after a moment. */
function silentAfter(steps: readonly Step[], host: HostName, atMs: number): number | undefined {
  return steps.find((step) => step.atMs > atMs && step.reading.evidence.get(host)?.kind === 'silent')?.atMs;
}

describe.each(POLLS)('a recording read every %i ms', (pollMs) => {
  it.each(ALL)('%s: no host is called silent within the window after its packet', (name) => {
    const steps = replay(name, { pollMs });
    let judged = 0;
    for (const host of Object.keys(HOSTS) as HostName[]) {
      const packets = packetsOf(name, host);
      for (const { atMs, reading } of steps) {
        judged += 1;
        if (reading.evidence.get(host)?.kind !== 'silent') continue;
        const last = packets.filter((ms) => ms <= atMs).at(-1) ?? Number.NEGATIVE_INFINITY;
        expect(atMs - last).toBeGreaterThanOrEqual(WINDOW_MS - 1_000);
      }
    }
    expect(judged).toBeGreaterThan(20);
  });

  it.each<[RecordingName, HostName]>([
    ['A', 'a'],
    ['A', 'b'],
    ['A3', 'b'],
    ['A3', 'c'],
    ['A3', 'd'],
    ['B', 'd'],
    ['C', 'a'],
    ['G', 'a'],
    ['G', 'b'],
    ['G', 'c'],
    ['G', 'd'],
    ['T', 'b'],
  ])('%s: host %s lives, whatever its keep-alive interval, and is never called silent', (name, host) => {
    // C: until its power cycle; T: while tracking stood still and after it, until its fence.
    const untilMs = name === 'C' ? 309_000 : name === 'T' ? 57_000 : Number.POSITIVE_INFINITY;
    const kinds = kindsOf(replay(name, { pollMs, untilMs }), host);
    expect(kinds).toContain('live');
    expect(kinds).not.toContain('silent');
  });

  it('B: a host that lost power, idle, writing or reading, is silent 15 to 22 s later', () => {
    const steps = replay('B', { pollMs });
    const offMs = eventOf(readRecording('B'), 'power-off').atMs;
    for (const host of ['a', 'b', 'c'] as const) {
      const afterMs = (silentAfter(steps, host, offMs) ?? Infinity) - offMs;
      expect(afterMs).toBeGreaterThanOrEqual(WINDOW_MS - 2_000);
      expect(afterMs).toBeLessThanOrEqual(22_000);
    }
  });

  it('C: a host whose packets do not arrive is silent, and live again when they do', () => {
    const recording = readRecording('C');
    const steps = replay('C', { pollMs });
    const [cutMs, healedMs] = [eventOf(recording, 'cut').atMs, eventOf(recording, 'healed').atMs];
    const silentMs = silentAfter(steps, 'd', cutMs) ?? Infinity;
    const lastMs =
      packetsOf('C', 'd')
        .filter((ms) => ms < silentMs)
        .at(-1) ?? 0;
    expect(silentMs - lastMs).toBeLessThan(30_000); // it had survived a silence of 11 s before
    const later = steps.filter(({ atMs }) => atMs > healedMs + 10_000 && atMs < healedMs + 20_000);
    expect(kindsOf(later, 'd')).toEqual(new Set(['live']));
  });

  it('T: tracking that has stopped lets everybody age at once, which proves nothing', () => {
    const recording = readRecording('T');
    const [stoppedMs, backMs] = [
      eventOf(recording, 'only-raw-rule-left').atMs,
      eventOf(recording, 'tracking-rule-back').atMs,
    ];
    const steps = replay('T', { pollMs }).filter(({ atMs }) => atMs > stoppedMs && atMs < backMs);
    expect(kindsOf(steps, 'b')).not.toContain('silent');
  });
});

/** How the fence of a host was judged, and when first so. */
function fenceStates(steps: readonly Step[], host: HostName): ReadonlyMap<string, number> {
  const states = new Map<string, number>();
  for (const { atMs, reading } of steps) {
    const state = reading.fenceStates.get(host);
    if (!state) continue;
    const key = state.kind === 'ineffective' ? state.reason : state.kind;
    if (!states.has(key)) states.set(key, atMs);
  }
  return states;
}

describe('a fence', () => {
  const polls = [500, 2_000] as const;

  it.each(polls)(
    'D, every %i ms: is effective once the queues were seen closed, and no write lands after that',
    (pollMs) => {
      const fromMs = eventOf(readRecording('D'), 'fence').atMs;
      const untilMs = eventOf(readRecording('D'), 'unfence').atMs - 1_000;
      const states = fenceStates(replay('D', { pollMs, untilMs, fence: { host: 'a', fromMs } }), 'a');
      const effectiveMs = states.get('effective') ?? Infinity;
      expect(effectiveMs).toBeGreaterThan(fromMs + 5_000);
      expect(effectiveMs).toBeLessThan(fromMs + 20_000);
      const late = writesLanded(readRecording('D'), 'loop0').filter(
        ({ atMs }) => atMs > effectiveMs && atMs < 110_000, // then the new writer begins
      );
      expect(late).toEqual([]);
    },
  );

  it.each(polls)(
    'T, every %i ms: with a disk of 15 s is not effective before the last accepted write has landed',
    (pollMs) => {
      const fromMs = eventOf(readRecording('T'), 'fence').atMs;
      const landedMs = writesLanded(readRecording('T'), 'nullb1').at(-1)?.atMs ?? 0;
      expect(landedMs).toBeGreaterThan(fromMs + 13_000);
      const states = fenceStates(replay('T', { pollMs, fence: { host: 'b', fromMs } }), 'b');
      expect(states.get('quiescing')).toBeLessThan(landedMs);
      expect(states.get('effective') ?? Infinity).toBeGreaterThanOrEqual(landedMs - 500);
      expect(states.has('still-writing')).toBe(false);
    },
  );

  it.each(polls)(
    'T2, every %i ms: with a disk of 45 s never becomes effective: its queues vanished, which proves nothing',
    (pollMs) => {
      const fromMs = eventOf(readRecording('T2'), 'fence').atMs;
      const states = fenceStates(replay('T2', { pollMs, fence: { host: 'b', fromMs } }), 'b');
      expect(states.has('effective')).toBe(false);
      expect(states.has('quiesce-unproved')).toBe(true);
    },
  );

  it.each(polls)('D2, every %i ms: a fenced host that loses power stays cut off and proved', (pollMs) => {
    const recording = readRecording('D2');
    const fromMs = eventOf(recording, 'fence').atMs;
    const untilMs = eventOf(recording, 'unfence').atMs - 1_000;
    const states = fenceStates(replay('D2', { pollMs, untilMs, fence: { host: 'a', fromMs } }), 'a');
    expect(states.has('effective')).toBe(true);
    expect(states.has('still-writing')).toBe(false);
  });

  it('that does not hold is seen: packets of the host pass it', () => {
    const states = fenceStates(replay('A', { pollMs: 2_000, fence: { host: 'a', fromMs: 60_000 } }), 'a');
    expect([...states.keys()]).toContain('still-writing');
    expect(states.has('effective')).toBe(false);
  });
});

describe('a reboot of the target', () => {
  it('G: leaves every host known, and calls no host silent before it had time to come back', () => {
    const steps = replay('G', { pollMs: 2_000 });
    const rebootMs = eventOf(readRecording('G'), 'target-reboot').atMs;
    const after = steps.filter(({ atMs }) => atMs > rebootMs);
    for (const host of ['a', 'b', 'c', 'd'] as const) {
      const kinds = kindsOf(after, host);
      expect(kinds).not.toContain('silent');
      const reasons = after
        .map(({ reading }) => reading.evidence.get(host))
        .flatMap((e) => (e?.kind === 'unknown' ? [e.reason] : []));
      expect(reasons).not.toContain('never-seen-live');
    }
  });
});

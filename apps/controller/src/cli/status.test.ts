import type { StateReport } from '@reattach/status-page';
import { describe, expect, it } from 'vitest';
import { AS_OF_MS, attachmentState, stateReport } from '../state/state-report.test-support.ts';
import { statusText } from './status.ts';
import { plainStyle } from './style.ts';
import { needsAttention } from './words.ts';

const lines = (report: StateReport) => statusText(report, plainStyle).trimEnd().split('\n');
const row = (overrides: Parameters<typeof attachmentState>[0]) =>
  lines(stateReport([attachmentState(overrides)]))
    .at(-1)
    ?.split(/ {2,}/);

describe('statusText', () => {
  it('says within a few lines whether anything is wrong, and what', () => {
    expect(lines(stateReport())).toEqual([
      'Reattach 1.2.3 (reattach-0), mode observe: 1 attachment, 1 on lost nodes; held: 1 dry-run',
      'Backend backend-a: RouterOS 7.24.2; read 0.5 s ago; 2 hosts live; fences enforced; no fences',
      '',
      'VOLUME  PVC             NODE    NODE STATE  EVIDENCE     DECISION       SINCE',
      'pv-a    default/data-a  node-a  NotReady    silent 45 s  hold: dry-run  30 s',
    ]);
  });

  it('names the age of its caches only when it matters', () => {
    const { cache } = stateReport();
    const old = stateReport([], { cache: { ...cache, freshAsOfMs: AS_OF_MS - 100_000 } });
    expect(lines(old)[1]).toBe('Cluster: last seen 1 min 40 s ago; decisions stop when that is too old');
    const unsynced = stateReport([], {
      cache: { ...cache, synced: false, detail: 'nodes were never listed' },
    });
    expect(lines(unsynced)[1]).toBe('Cluster: nodes were never listed');
  });

  it('is short when nothing is wrong', () => {
    const { counts } = stateReport([]);
    const report = stateReport([], { counts: { ...counts, attachments: 7, ready: 7 } });
    expect(lines(report)[0]).toBe(
      'Reattach 1.2.3 (reattach-0), mode observe: 7 attachments, all on nodes that are Ready',
    );
    expect(lines(report)).toHaveLength(2);
  });

  it.each([
    ['live', { kind: 'live', detail: '', observedAtMs: AS_OF_MS, lastActivityMs: AS_OF_MS }, 'live'],
    [
      'unknown',
      { kind: 'unknown', detail: '', observedAtMs: AS_OF_MS, reason: 'backend-unreachable' },
      'unknown (backend-unreachable)',
    ],
  ] as const)('shows evidence that is %s', (_what, evidence, text) => {
    expect(row({ evidence })?.[4]).toBe(text);
  });

  it.each([
    [{ decision: 'wait', untilMs: AS_OF_MS + 12_000 }, 'wait 12 s'],
    [{ decision: 'fence' }, 'fence'],
    [{ decision: 'release' }, 'release'],
    [{ decision: 'hold', reason: 'storage-unknown' }, 'hold: storage-unknown'],
  ] as const)('shows the decision %j', (decision, text) => {
    expect(row(decision)?.[5]).toBe(text);
  });

  it('shows what it can of an inline volume without a claim, decided just now', () => {
    const { claim: _claim, persistentVolume: _volume, sinceMs: _since, ...rest } = attachmentState();
    expect(lines(stateReport([rest])).at(-1)).toBe(
      'va-a    -    node-a  NotReady    silent 45 s  hold: dry-run  -',
    );
  });

  it('puts what is held first, then what is on its way, then what is fine', () => {
    const report = stateReport([
      attachmentState({ persistentVolume: 'fine', nodeState: 'ready', decision: 'keep' }),
      attachmentState({ persistentVolume: 'waits', decision: 'wait' }),
      attachmentState({ persistentVolume: 'held' }),
    ]);
    expect(
      lines(report)
        .slice(-3)
        .map((line) => line.split(' ')[0]),
    ).toEqual(['held', 'waits', 'fine']);
  });

  it('says what keeps it from knowing', () => {
    const cache = { synced: false, freshAsOfMs: 0, detail: 'not synced: nodes (403)' };
    const backends = [{ name: 'backend-a', connected: false, detail: 'ECONNREFUSED', fences: [] }];
    const text = lines(stateReport([], { cache, backends }));
    expect(text[1]).toBe('Cluster: not synced: nodes (403)');
    expect(text[2]).toBe('Backend backend-a: not connected: ECONNREFUSED');
  });

  it('names fences, and why they are not enforced', () => {
    const [backend] = stateReport().backends;
    if (!backend) throw new Error('no backend');
    const fence = { id: 'f1', nodeName: 'node-a', fencedAtMs: 0, addresses: [], seenSinceMs: 0 };
    const enforcement = { kind: 'not-enforced', detail: 'no rule uses the list' } as const;
    expect(lines(stateReport([], { backends: [{ ...backend, enforcement, fences: [fence] }] }))[1]).toMatch(
      /; fences not enforced: no rule uses the list; fenced: node-a \(f1\)$/,
    );
  });
});

describe('needsAttention', () => {
  const { cache, backends } = stateReport();
  it.each([
    ['nothing is wrong', stateReport([]), false],
    [
      'something waits',
      stateReport([attachmentState({ decision: 'wait', reason: undefined as never })]),
      false,
    ],
    ['something is held', stateReport(), true],
    ['the caches are not synced', stateReport([], { cache: { ...cache, synced: false } }), true],
    [
      'a backend is away',
      stateReport([], { backends: backends.map((backend) => ({ ...backend, connected: false })) }),
      true,
    ],
  ])('%s -> %s', (_what, report, expected) => {
    expect(needsAttention(report)).toBe(expected);
  });
});

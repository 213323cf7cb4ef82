import { describe, expect, it } from 'vitest';
import type { BackendState, StateReport } from '../state-report.ts';
import { sampleReport } from '../testing/sample-report.ts';
import { headlineOf, silenceOf } from './headline.ts';

const NOW_MS = 1_790_000_000_000;
const backend: BackendState = {
  name: 'east',
  connected: true,
  detail: 'RouterOS 7.20',
  readAtMs: NOW_MS - 60_000,
  enforcement: { kind: 'enforced' },
  fences: [],
};
const well: StateReport = {
  ...sampleReport({ nodes: 3, attachments: 9, lostNodes: 0, nowMs: NOW_MS }),
  backends: [backend],
};
const lost = sampleReport({ nodes: 3, attachments: 9, lostNodes: 1, nowMs: NOW_MS });

function held(reason: string, amount: number): StateReport {
  return { ...well, counts: { ...well.counts, heldByReason: { [reason]: amount } } };
}

describe('headlineOf', () => {
  it('says that all is well, and nothing else, when it is', () => {
    expect(headlineOf(well, NOW_MS)).toEqual({
      level: 'ok',
      text: '9 attachments on 3 ready nodes',
      points: [],
    });
  });

  it('says first how many attachments are held and where, then why and what to do', () => {
    const { level, text, points } = headlineOf({ ...lost, backends: [backend] }, NOW_MS);
    expect([level, text]).toEqual(['attention', '2 attachments held on node-0']);
    expect(points.map((point) => [point.level, point.text])).toEqual([
      ['attention', '2 attachments held, storage-unknown: the backend cannot prove that the node is silent'],
      ['busy', '1 attachment of node-0: 1 waiting'],
    ]);
    expect(points[0]?.link?.href).toBe('https://runbook.example.org/reattach#storage-unknown');
  });

  it.each<[string, StateReport, string, string]>([
    ['mode observe', held('dry-run', 2), 'notice', '2 attachments held'],
    ['a reason of a newer controller', held('brand-new', 1), 'attention', '1 attachment held'],
    [
      'a backend that is not connected',
      { ...well, backends: [{ ...backend, connected: false, detail: 'connection refused' }] },
      'attention',
      'Backend east is not connected: nothing can be proved about its volumes',
    ],
    [
      'a backend that is connected but cannot be read',
      { ...well, backends: [{ ...backend, readAtMs: NOW_MS - 301_000, detail: 'the last reading failed' }] },
      'notice',
      'Backend east has not been read for more than 5 min',
    ],
    [
      'a stale cache without a lost node',
      { ...well, counts: { ...well.counts, blocked: 9 } },
      'attention',
      'If a node were lost now, nothing would be released',
    ],
    [
      'a pass that failed',
      {
        ...well,
        lastPass: { reconcileId: 'a', reasons: [], startedAtMs: 0, durationMs: 1, result: 'failed' },
      },
      'attention',
      'The last pass failed',
    ],
    [
      'a backend that cannot fence, in mode fence',
      { ...well, backends: [{ ...backend, enforcement: { kind: 'not-enforced', detail: 'no rule' } }] },
      'attention',
      'Backend east cannot fence: no rule',
    ],
    [
      'the same in mode observe',
      {
        ...well,
        mode: 'observe',
        backends: [{ ...backend, enforcement: { kind: 'not-enforced', detail: 'no rule' } }],
      },
      'notice',
      'Backend east cannot fence: no rule',
    ],
    ['a standby', { ...well, leading: false }, 'notice', 'This replica is a standby; no node is lost'],
    [
      'a standby, which does not query the backends about a lost node',
      { ...lost, leading: false },
      'notice',
      'This replica is a standby; 1 node lost: node-0',
    ],
    [
      'a lost node with nothing on it',
      { ...well, nodes: well.nodes.map((node) => ({ ...node, state: 'gone', attachments: 0 })) },
      'notice',
      '3 nodes lost, nothing to release: node-0, node-1 and 1 more',
    ],
    [
      'a stale Lease that nothing follows from',
      { ...well, nodes: well.nodes.map((node) => ({ ...node, state: 'lease-stale' })) },
      'notice',
      '3 nodes lost, nothing to release: node-0, node-1 and 1 more',
    ],
  ])('%s -> %3$s', (_situation, report, level, text) => {
    expect(headlineOf(report, NOW_MS)).toMatchObject({ level, text });
  });

  it('names a fence, also of a deleted node, and what becomes of it', () => {
    const fence = {
      id: 'f1',
      nodeName: 'node-2',
      addresses: [],
      fencedAtMs: NOW_MS - 60_000,
      seenSinceMs: NOW_MS,
    };
    const gone = { ...fence, id: 'f2', nodeName: 'node-9' };
    const nodes = well.nodes.map((node) =>
      node.name === 'node-2'
        ? {
            ...node,
            fences: [{ backend: 'east', id: 'f1', fencedAtMs: 0, cleanup: 'stays: not booted since' }],
          }
        : node,
    );
    const { points } = headlineOf(
      { ...well, nodes, backends: [{ ...backend, fences: [fence, gone] }] },
      NOW_MS,
    );
    expect(points.map(({ text, detail }) => `${text}. ${detail}`)).toEqual([
      'Node node-2 is cut off from backend east. Fence f1, for 1 min 0 s; it stays: not booted since',
      'Node node-9 is cut off from backend east. Fence f2, for 1 min 0 s',
    ]);
  });

  it('holds no ages, so that it is read out only when something has happened', () => {
    for (const report of [well, lost]) {
      expect(headlineOf(report, NOW_MS + 5_000).text).toBe(headlineOf(report, NOW_MS).text);
    }
  });
});

describe('silenceOf', () => {
  it.each<[string, string | undefined, number | undefined, boolean]>([
    ['answered just now', undefined, 100, false],
    ['one question failed', 'refused', 3_000, false],
    ['questions have failed for a while', 'refused', 6_000, true],
    ['answers come slowly', undefined, 19_000, false],
    ['an answer is late', undefined, 20_000, true],
    ['not asked yet', undefined, undefined, false],
    ['the first question failed', 'refused', undefined, true],
  ])('%s -> %4$s', (_situation, failure, ageMs, isSilent) => {
    expect(silenceOf(failure, ageMs) !== undefined).toBe(isSilent);
  });
});

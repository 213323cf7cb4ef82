import { describe, expect, it } from 'vitest';
import { AS_OF_MS, attachmentState, nodeReport, stateReport } from '../state/state-report.test-support.ts';
import { planOf, planText } from './plan.ts';
import { plainStyle } from './style.ts';

const claim = (name: string) => ({ claim: { namespace: 'default', name } });

describe('planText', () => {
  it('says what would be done first and what would be left alone last, one line for what goes together', () => {
    const fences = [{ backend: 'backend-a', id: 'f1', fencedAtMs: 0, cleanup: 'goes: it has booted' }];
    const report = stateReport(
      [
        attachmentState(),
        attachmentState({ ...claim('w1'), decision: 'wait', untilMs: AS_OF_MS + 9_000, why: 'lost for 1 s' }),
        attachmentState({ ...claim('w2'), decision: 'wait', untilMs: AS_OF_MS + 3_000, why: 'lost for 2 s' }),
        attachmentState({ ...claim('r'), decision: 'release', why: 'silent' }),
        attachmentState({ ...claim('f2'), decision: 'fence', why: 'lost' }),
        attachmentState({ ...claim('f1'), decision: 'fence', why: 'lost' }),
        attachmentState({ ...claim('k'), decision: 'keep', nodeState: 'ready' }),
      ],
      {
        mode: 'fence',
        nodes: [nodeReport({ name: 'node-b', fences, taintCleanup: 'goes: no fence is left' })],
      },
    );
    expect(planText(report, plainStyle)).toBe(
      `Mode fence: a pass would
  fence node node-a at backend backend-a, for default/f1, default/f2
    because: lost
  release default/r from node node-a
    because: silent
  take our taint off node node-b
    because: no fence is left
  let node node-b back to backend backend-a
    because: it has booted
  wait 3.0 s with default/w1, default/w2 on node node-a
    because: lost for 1 s
  hold default/data-a on node node-a (dry-run)
    because: Mode is observe; mode fence would release
`,
    );
  });

  it('has nothing to do where nothing is lost and fences stay', () => {
    const fences = [{ backend: 'backend-a', id: 'f1', fencedAtMs: 0, cleanup: 'stays: not booted' }];
    const report = stateReport([], {
      nodes: [nodeReport({ fences, taintCleanup: 'stays: a pod is left' })],
    });
    expect(planOf(report)).toEqual([]);
    expect(planText(report, plainStyle)).toBe('Mode observe: nothing to do\n');
  });
});

import type { Decision, Effect, PassReport } from '@reattach/core';
import { nodeFact, TEST_ATTACHER, volumeAttachmentFact } from '@reattach/core/testing';
import { describe, expect, it } from 'vitest';
import { DecisionAges } from './decision-ages.ts';

const attachment = volumeAttachmentFact();
const verdicts = {
  wait: { kind: 'wait', untilMs: 1, why: 'grace' },
  hold: { kind: 'hold', reason: 'storage-unknown', why: 'away' },
  held: { kind: 'hold', reason: 'node-still-writing', why: 'talks' },
  release: { kind: 'release', why: 'silent' },
} as const satisfies Record<string, Decision['verdict']>;

function decision(verdict: Decision['verdict']): Decision {
  const node = { kind: 'not-ready', name: 'node-a', node: nodeFact({ ready: false }), sinceMs: 0 } as const;
  return {
    attachment,
    vmMigrating: false,
    node,
    evidence: { kind: 'unknown', observedAtMs: 0, reason: 'no-storage-reading', detail: '' },
    fence: { kind: 'unknown', why: '' },
    rule: 'r',
    verdict,
  };
}

function report(nowMs: number, decisions: readonly Decision[], effects: readonly Effect[] = []): PassReport {
  return { nowMs, reconcileId: 'r', attacher: TEST_ATTACHER, decisions, recoveries: [], effects, fences: [] };
}

describe('DecisionAges', () => {
  it('knows since when a decision has stood, and starts anew with another kind or reason', () => {
    const ages = new DecisionAges();
    const since = [verdicts.wait, verdicts.wait, verdicts.hold, verdicts.hold, verdicts.held].map(
      (verdict, index) => {
        ages.passed(report(1_000 * index, [decision(verdict)]));
        return ages.of(attachment.uid)?.sinceMs;
      },
    );
    expect(since).toEqual([0, 0, 2_000, 2_000, 4_000]);
  });

  it('knows what kept a release from being done', () => {
    const ages = new DecisionAges();
    const released = decision(verdicts.release) as Extract<Effect, { kind: 'released' }>['decision'];
    ages.passed(
      report(0, [released], [{ kind: 'postponed', decisions: [released], why: 'pv-b may not go' }]),
    );
    expect(ages.of(attachment.uid)).toEqual({
      decision: 'hold',
      reason: 'companion-held',
      prevented: 'pv-b may not go',
      sinceMs: 0,
    });
  });

  it('remembers what kept a release from being done until it has been tried again', () => {
    const ages = new DecisionAges();
    const released = decision(verdicts.release) as Extract<Effect, { kind: 'released' }>['decision'];
    ages.passed(
      report(0, [released], [{ kind: 'postponed', decisions: [released], why: 'pv-b may not go' }]),
    );
    ages.passed(report(1, [released]));
    expect(ages.of(attachment.uid)).toMatchObject({ decision: 'hold', sinceMs: 0 });
    ages.passed(report(2, [released], [{ kind: 'released', decision: released, strategy: 'in-use' }]));
    expect(ages.of(attachment.uid)).toEqual({ decision: 'release', sinceMs: 2 });
  });

  it('forgets everything when passes end', () => {
    const ages = new DecisionAges();
    ages.passed(report(0, [decision(verdicts.hold)]));
    ages.forget();
    expect(ages.of(attachment.uid)).toBeUndefined();
  });

  it('forgets what is gone', () => {
    const ages = new DecisionAges();
    ages.passed(report(0, [decision(verdicts.hold)]));
    ages.passed(report(1, []));
    expect(ages.of(attachment.uid)).toBeUndefined();
  });
});

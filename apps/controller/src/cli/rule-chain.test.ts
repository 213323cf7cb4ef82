import { RULES } from '@reattach/core';
import { describe, expect, it } from 'vitest';
import { AS_OF_MS, attachmentState, stateReport } from '../state/state-report.test-support.ts';
import { PASSING_FACTS, ruleChain } from './rule-chain.ts';

describe('PASSING_FACTS', () => {
  it('has words for every rule that can be passed, and for no other', () => {
    const passable = RULES.slice(0, -1).map(({ name }) => name);
    expect(Object.keys(PASSING_FACTS)).toEqual(passable);
  });
});

describe('ruleChain', () => {
  it('names each rule on the way with the fact that let it pass, and the one that decided', () => {
    const attachment = attachmentState({ rule: 'mode-fence', decision: 'release', why: 'cut off' });
    const { reason: _reason, ...released } = attachment;
    const report = stateReport([released], { mode: 'fence' });
    expect(
      ruleChain({ attachment: released, report }).map(({ rule, outcome, fact }) => [rule, outcome, fact]),
    ).toEqual([
      ['cache-fresh', 'passed', 'the cluster was seen 1.0 s ago, which is recent enough'],
      ['attacher-ours', 'passed', 'it was attached by rds.csi.srvlab.io, which is ours'],
      ['no-mass-failure', 'passed', '1 of 2 nodes is lost: no mass failure'],
      ['no-other-actor', 'passed', 'no taint says that another controller is recovering the node'],
      ['node-lost', 'passed', 'the node has been NotReady for 1 min'],
      ['no-migration', 'passed', 'the volume is in no live migration'],
      ['grace-over', 'passed', 'its grace is over; the backend has proved it silent for 45 s'],
      ['volume-known', 'passed', 'PersistentVolume pv-a is ours (handle-a)'],
      ['detach-under-way', 'passed', 'its VolumeAttachment is not being deleted yet'],
      ['addresses-own', 'passed', 'no one else claims an address of the node'],
      [
        'storage-known',
        'passed',
        'backend backend-a says silent: nothing came from 10.0.0.11 for 60.0 s while 10.0.0.12 was live',
      ],
      ['other-drivers', 'passed', 'volumes of other drivers on the node hold nothing back'],
      ['mode-observe', 'passed', 'mode is fence'],
      ['mode-fence', 'decided', 'release: cut off'],
    ]);
  });

  it.each(RULES.map(({ name }, index) => [name, index + 1] as const))(
    'ends with the rule that decided: %s after %i steps',
    (rule, steps) => {
      const attachment = attachmentState({ rule, why: 'because' });
      const chain = ruleChain({ attachment, report: stateReport([attachment]) });
      expect(chain).toHaveLength(steps);
      expect(chain.at(-1)).toEqual({ rule, outcome: 'decided', fact: 'hold (dry-run): because' });
    },
  );

  it('mentions neither silence nor times that are not known', () => {
    const evidence = { kind: 'live', detail: 'it writes', observedAtMs: AS_OF_MS } as const;
    const attachment = attachmentState({ node: 'node-x', nodeState: 'gone', evidence });
    const facts = new Map(
      ruleChain({ attachment, report: stateReport([attachment]) }).map(({ rule, fact }) => [rule, fact]),
    );
    expect(facts.get('grace-over')).toBe('its grace is over');
    expect(facts.get('node-lost')).toBe('the node is gone');
  });
});

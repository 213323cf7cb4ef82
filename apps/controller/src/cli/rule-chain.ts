import { RULES } from '@reattach/core';
import type { AttachmentState, StateReport } from '@reattach/status-page';
import { formatDuration } from './duration.ts';
import { count, nodeStateWords } from './words.ts';

/** A rule on the way to a decision. */
export interface RuleStep {
  readonly rule: string;
  /** `passed`: it left the decision to the next; `decided`: it is the one that decided. */
  readonly outcome: 'passed' | 'decided';
  /** The fact by which it passed, or what it decided and why. */
  readonly fact: string;
}

/** An attachment and what it is part of. */
export interface RuleCase {
  readonly attachment: AttachmentState;
  readonly report: StateReport;
}

/** The fact by which each rule passes. The last rule never does. */
export const PASSING_FACTS: Readonly<Record<string, (c: RuleCase) => string>> = {
  'cache-fresh': ({ report: { cache, asOfMs } }) =>
    `the cluster was seen ${formatDuration(asOfMs - cache.freshAsOfMs)} ago, which is recent enough`,
  'attacher-ours': ({ report: { attacher } }) => `it was attached by ${attacher}, which is ours`,
  'no-mass-failure': ({ report: { nodes } }) => {
    const lost = nodes.filter(({ state }) => state !== 'ready').length;
    return `${lost} of ${count(nodes.length, 'node')} ${lost === 1 ? 'is' : 'are'} lost: no mass failure`;
  },
  'no-other-actor': () => 'no taint says that another controller is recovering the node',
  'node-lost': (c) => {
    const since = nodeOf(c)?.sinceMs;
    const state = nodeStateWords(c.attachment.nodeState);
    if (since === undefined) return `the node is ${state}`;
    return `the node has been ${state} for ${formatDuration(c.report.asOfMs - since)}`;
  },
  'no-migration': () => 'the volume is in no live migration',
  'grace-over': ({ attachment: { evidence }, report: { asOfMs } }) =>
    evidence.kind === 'silent' && evidence.silentSinceMs !== undefined
      ? `its grace is over; the backend has proved it silent for ${formatDuration(asOfMs - evidence.silentSinceMs)}`
      : 'its grace is over',
  'volume-known': ({ attachment: { persistentVolume, volumeHandle } }) =>
    `PersistentVolume ${persistentVolume ?? ''} is ours (${volumeHandle ?? ''})`,
  'detach-under-way': () => 'its VolumeAttachment is not being deleted yet',
  'addresses-own': () => 'no one else claims an address of the node',
  'storage-known': ({ attachment: { evidence, backend } }) =>
    `backend ${backend ?? ''} says ${evidence.kind}: ${evidence.detail}`,
  'other-drivers': () => 'volumes of other drivers on the node hold nothing back',
  'mode-observe': ({ report: { mode } }) => `mode is ${mode}`,
};

/** Every rule up to the one that decided, in words. */
export function ruleChain(c: RuleCase): readonly RuleStep[] {
  const { rule: decisive, decision, reason, why } = c.attachment;
  const last = RULES.findIndex(({ name }) => name === decisive);
  const passed = RULES.slice(0, Math.max(last, 0)).map(({ name }): RuleStep => {
    const fact = PASSING_FACTS[name]?.(c) ?? 'it had nothing to say';
    return { rule: name, outcome: 'passed', fact };
  });
  const verdict = reason === undefined ? decision : `${decision} (${reason})`;
  return [...passed, { rule: decisive, outcome: 'decided', fact: `${verdict}: ${why}` }];
}

function nodeOf({ attachment, report }: RuleCase) {
  return report.nodes.find(({ name }) => name === attachment.node);
}

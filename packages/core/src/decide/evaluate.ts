import type { Policy } from '../model/policy.ts';
import type { StorageReading } from '../model/storage-reading.ts';
import {
  type Cleanup,
  decideFencedTaintRemovals,
  decideFencedTaints,
  decideUnfences,
  decideUntaints,
  fencesIn,
} from './cleanups.ts';
import { type Decision, decide } from './decide.ts';
import { type Facts, factsAt, isQueried, type Readings } from './evaluation-facts.ts';

/** What is to happen: to each attachment, and to each fence and taint of ours. */
export interface Evaluation {
  readonly decisions: readonly Decision[];
  readonly cleanups: readonly Cleanup[];
  /** When the facts must be evaluated again, epoch ms; absent when nothing is pending. */
  readonly nextDeadlineMs?: number;
}

/**
 * What an evaluation covers: the attachments and fences at one backend, or nodes as a whole (their taints, and the attachments
 * whose backend is not known).
 */
export type Scope = { readonly backendName: string } | 'nodes';

/**
 * Decides everything that the facts call for. Passes and every preview (`plan`, `explain`, the page, `fence` and `unfence` on the
 * command line) call this function, so they agree on the same facts. Pure: reads no clock and does no I/O.
 * @param nowMs epoch ms: ages of facts and readings are measured up to here
 * @param scopes default: every backend, then nodes as a whole. A pass evaluates each backend when its answer arrives.
 */
export function evaluate(
  facts: Facts,
  readings: Readings,
  policy: Policy,
  nowMs: number,
  scopes: readonly Scope[] = [...facts.backends.map((backendName) => ({ backendName })), 'nodes' as const],
): Evaluation {
  const evaluations = scopes.map((scope) =>
    scope === 'nodes'
      ? evaluateNodes(facts, readings, policy, nowMs)
      : evaluateBackend(facts, readings, policy, nowMs, scope.backendName),
  );
  const deadlines = evaluations.flatMap(({ nextDeadlineMs }) => nextDeadlineMs ?? []);
  return {
    decisions: evaluations.flatMap(({ decisions }) => decisions),
    cleanups: evaluations.flatMap(({ cleanups }) => cleanups),
    ...(deadlines.length > 0 && { nextDeadlineMs: Math.min(...deadlines) }),
  };
}

function evaluateBackend(
  facts: Facts,
  { answers, latest }: Readings,
  policy: Policy,
  nowMs: number,
  backendName: string,
): Evaluation {
  const at = factsAt(facts, backendName, latest.get(backendName));
  const answer = isQueried(at, backendName, latest.get(backendName)) ? answers.get(backendName) : undefined;
  const storage = new Map(answer ? [[backendName, answer]] : []);
  const view = { ...facts, storageNodes: at.storageNodes, storage };
  const elsewhere = [...latest].flatMap(([name, { fences = [] }]) => (name === backendName ? [] : fences));
  const { decisions, nextDeadlineMs } = decide(view, policy, nowMs, at.attachments);
  return {
    decisions,
    nextDeadlineMs,
    cleanups: decideUnfences(view, policy, nowMs, elsewhere, facts.untouched),
  };
}

function evaluateNodes(facts: Facts, { latest }: Readings, policy: Policy, nowMs: number): Evaluation {
  const unplaced = facts.attachments.filter(({ backend }) => !backend);
  const unread = { ...facts, storage: new Map<string, StorageReading>() };
  const { decisions, nextDeadlineMs } = decide(unread, policy, nowMs, unplaced);
  const view = { ...facts, storage: latest };
  const isAllRead = latest.size === facts.backends.length && facts.unreadFences.size === 0;
  const visible = new Set(fencesIn(view).map(({ fence }) => fence.nodeName));
  const missing = new Set(
    [...facts.fencedNodes.values()].flatMap((names) => [...names].filter((name) => !visible.has(name))),
  );
  const removals = isAllRead ? decideFencedTaintRemovals(view, policy, nowMs) : [];
  const cleanups = [
    ...decideUntaints(view, policy, nowMs),
    ...decideFencedTaints(view, policy, nowMs),
    ...removals.filter((cleanup) => !('node' in cleanup && missing.has(cleanup.node.name))),
  ];
  return { decisions, nextDeadlineMs, cleanups };
}

import type { Decision } from '../decide/decide.ts';
import type { LostDecision } from './effect.ts';
import { fenceNode } from './fence-node.ts';
import type { ExecutePorts, NodePlan } from './node-plan.ts';
import { inNodeSpan } from './node-span.ts';
import { releaseNode } from './release-node.ts';

/** How much of a plan was started. */
export interface Started {
  /** `false`: the rest is left to a later pass. */
  readonly isAllStarted: boolean;
  /** @see ExecutePorts.deferred */
  readonly deferred: ReadonlySet<string>;
}

/**
 * Starts to carry out the decisions about lost nodes. Nodes are independent of each other, so a slow answer about one does not delay
 * another. The steps for one node have an order: fence; then, in a later pass that has read the fence back, pods; then volumes. Each
 * write is preceded by a live GET of the Node and a check of leadership. Idempotent: after an interruption the next pass does the
 * rest. Work fails only with `signal.reason`; every other failure is an effect.
 * @see design section 5
 */
export function execute(
  decisions: readonly Decision[],
  nowMs: number,
  ports: ExecutePorts,
  signal: AbortSignal,
): Started {
  const turns = new Map([...(ports.deferred ?? [])].map((key, index) => [key, index]));
  const turnOf = ([key]: readonly [string, unknown]) => turns.get(key) ?? turns.size;
  const groups = [...Map.groupBy(decisions.filter(isWork), workKey)].toSorted(
    (a, b) => turnOf(a) - turnOf(b),
  );
  let isAllStarted = true;
  const deferred = new Set<string>();
  for (const [key, [first, ...rest]] of groups) {
    if (!first) continue;
    const isInFlight = ports.inFlight.has(key);
    const work: NodePlan = { decisions: [first, ...rest], nowMs, ports, signal };
    const isStarted = ports.inFlight.start(key, () =>
      first.verdict.kind === 'fence'
        ? inNodeSpan('fence node', work.decisions, () => fenceNode(work))
        : inNodeSpan('release node', work.decisions, () => releaseNode(work)),
    );
    isAllStarted &&= isStarted;
    if (!isStarted && !isInFlight) deferred.add(key);
  }
  return { isAllStarted, deferred };
}

function isWork(decision: Decision): decision is LostDecision {
  return (
    decision.node.kind !== 'ready' &&
    (decision.verdict.kind === 'fence' || decision.verdict.kind === 'release')
  );
}

/** One write to a backend cuts the node off from all of it, so a node is fenced once per backend. */
function workKey({ node, verdict, backend }: LostDecision): string {
  return verdict.kind === 'fence' ? `fence ${node.name} ${backend?.name}` : releaseKey(node.name);
}

/** Under which the release of a node is in flight. */
export function releaseKey(nodeName: string): string {
  return `release ${nodeName}`;
}

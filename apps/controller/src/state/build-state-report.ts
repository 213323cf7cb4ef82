import { type Inspection, type LastPass, nodeFactOf, type Policy, type Standing } from '@reattach/core';
import type { RdsBox } from '@reattach/rds-client';
import { attachmentState } from './attachment-state.ts';
import type {
  AttachmentState,
  BoxState,
  NodeFence,
  NodeReport,
  PassState,
  StateCounts,
  StateReport,
} from './state-report.ts';

/** Which attachments a report lists. It counts all of them. */
export type AttachmentChoice = 'all' | 'lost';

/** Where the rest of a report comes from. */
export interface ReportContext {
  readonly version: string;
  readonly policy: Policy;
  readonly identity: string;
  readonly leading: boolean;
  readonly lastPass?: LastPass;
  readonly boxes: readonly Pick<RdsBox, 'name' | 'health' | 'lastReading'>[];
  /** Absent: no passes ran. */
  readonly standings?: ReadonlyMap<string, Standing>;
}

/** What an inspection found, for people. */
export function buildStateReport(
  inspection: Inspection,
  choice: AttachmentChoice,
  context: ReportContext,
): StateReport {
  const { view, nowMs } = inspection;
  const { version, policy, identity, leading, lastPass, boxes, standings } = context;
  const { mode, attacher } = policy;
  const counts = new Counts();
  const attachments: AttachmentState[] = [];
  for (const decision of inspection.decisions) {
    const { attachment, node, verdict } = decision;
    if (attachment.attacher !== attacher) continue;
    if (choice === 'lost' && node.kind === 'ready' && verdict.kind === 'keep') {
      counts.add({ node: node.name, nodeState: node.kind, decision: verdict.kind });
      continue;
    }
    const state = attachmentState(decision, standings?.get(attachment.uid));
    counts.add(state);
    if (choice === 'all' || isNews(state)) attachments.push(state);
  }
  return {
    asOfMs: nowMs,
    version,
    mode,
    attacher,
    identity,
    leading,
    cache: view.cache,
    ...(lastPass && { lastPass: passState(lastPass) }),
    boxes: boxes.map(boxState),
    nodes: nodeReports(inspection, counts.byNode),
    counts: counts.total,
    attachments,
  };
}

/** A cache that is stale and a mass failure hold everything: of a node that is ready that is no news. */
function isNews({ nodeState, decision, reason }: AttachmentState): boolean {
  if (nodeState !== 'ready') return true;
  return decision === 'hold' && reason !== 'cache-stale' && reason !== 'mass-failure';
}

class Counts {
  readonly byNode = new Map<string, number>();
  readonly #byVerdict: Record<string, number> = { keep: 0, wait: 0, hold: 0, fence: 0, release: 0 };
  readonly #heldByReason: Record<string, number> = {};
  #attachments = 0;
  #ready = 0;

  add({
    node,
    nodeState,
    decision,
    reason,
  }: Pick<AttachmentState, 'node' | 'nodeState' | 'decision' | 'reason'>): void {
    this.#attachments++;
    if (nodeState === 'ready') this.#ready++;
    else if (reason !== undefined) this.#heldByReason[reason] = (this.#heldByReason[reason] ?? 0) + 1;
    this.#byVerdict[decision] = (this.#byVerdict[decision] ?? 0) + 1;
    this.byNode.set(node, (this.byNode.get(node) ?? 0) + 1);
  }

  get total(): StateCounts {
    return {
      attachments: this.#attachments,
      ready: this.#ready,
      byVerdict: this.#byVerdict,
      heldByReason: this.#heldByReason,
    };
  }
}

function passState({ reconcileId, reasons, startedAtMs, durationMs, result }: LastPass): PassState {
  return { reconcileId, reasons: [...reasons], startedAtMs, durationMs, result };
}

function boxState(box: ReportContext['boxes'][number]): BoxState {
  const { connected, detail } = box.health();
  const { observedAtMs: readAtMs, liveHosts, guard, fences = [] } = box.lastReading ?? {};
  return {
    name: box.name,
    connected,
    detail,
    ...(readAtMs !== undefined && { readAtMs }),
    ...(liveHosts !== undefined && { liveHosts }),
    ...(guard && { guard }),
    fences,
  };
}

function nodeReports(
  { view, recoveries }: Inspection,
  attachments: ReadonlyMap<string, number>,
): NodeReport[] {
  const fences = new Map<string, NodeFence[]>();
  const taints = new Map<string, string>();
  for (const recovery of recoveries) {
    const words = `${recovery.kind.startsWith('keep') ? 'stays' : 'goes'}: ${recovery.why}`;
    if (!('fence' in recovery)) {
      taints.set(recovery.node.name, words);
      continue;
    }
    const { fence, boxName: box } = recovery;
    const { id, fencedAtMs, nodeName } = fence;
    fences.set(nodeName, [...(fences.get(nodeName) ?? []), { box, id, fencedAtMs, recovery: words }]);
  }
  return [...view.nodes.values()].map((node): NodeReport => {
    const fact = nodeFactOf(node);
    const taint = taints.get(node.name);
    const sinceMs = node.kind === 'ready' ? node.node.readyChangedAtMs : node.sinceMs;
    return {
      name: node.name,
      ...(fact && { uid: fact.uid }),
      state: node.kind,
      ...(sinceMs !== undefined && { sinceMs }),
      addresses: view.storageNodes.get(node.name)?.addresses ?? fact?.storageAddresses ?? [],
      attachments: attachments.get(node.name) ?? 0,
      fences: fences.get(node.name) ?? [],
      ...(taint !== undefined && { taintRecovery: taint }),
    };
  });
}

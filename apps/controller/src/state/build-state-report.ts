import {
  type AttachmentStatus,
  type Decision,
  HOLD_REASONS,
  type LastPass,
  nodeFactOf,
  type PodFact,
  type Policy,
  type Preview,
  type StorageBackend,
} from '@reattach/core';
import type {
  AttachmentState,
  BackendState,
  NodeFence,
  NodeReport,
  PassState,
  StateCounts,
  StateReport,
} from '@reattach/status-page';
import { attachmentState, isBlocked } from './attachment-state.ts';

/** Which attachments a report lists. It counts all of them. */
export type AttachmentChoice = 'all' | 'lost';

/** Where the rest of a report comes from. */
export interface ReportContext {
  readonly version: string;
  readonly policy: Policy;
  readonly identity: string;
  readonly leading: boolean;
  /** Name of the cluster. */
  readonly clusterName?: string;
  readonly runbookUrl?: string;
  /** Name of the replica that leads, when it is known. */
  readonly leader?: string;
  readonly lastPass?: LastPass;
  readonly backends: readonly Pick<StorageBackend, 'name' | 'health' | 'lastReading'>[];
  /** Absent: the report names no pods. */
  readonly podsOnNode?: (nodeName: string) => Iterable<PodFact>;
  /** Absent: no passes ran. */
  readonly statuses?: ReadonlyMap<string, AttachmentStatus>;
}

/** What an preview found, for people. */
export function buildStateReport(
  preview: Preview,
  choice: AttachmentChoice,
  context: ReportContext,
): StateReport {
  const { view, nowMs } = preview;
  const { version, policy, identity, leading, leader, lastPass, backends, statuses, podsOnNode } = context;
  const { mode, attacher } = policy;
  const counts = new Counts();
  const attachments: AttachmentState[] = [];
  for (const decision of preview.decisions) {
    const { attachment, node, verdict } = decision;
    if (choice === 'lost' && node.kind === 'ready' && verdict.kind === 'keep') {
      counts.add({ node: node.name, nodeState: node.kind, decision: verdict.kind });
      continue;
    }
    const pods = claimPods(decision, podsOnNode);
    const state = attachmentState(decision, statuses?.get(attachment.uid), pods);
    counts.add(state, isBlocked(decision));
    if (choice === 'all' || isNews(state)) attachments.push(state);
  }
  return {
    asOfMs: nowMs,
    version,
    mode,
    attacher,
    identity,
    leading,
    leader,
    clusterName: context.clusterName,
    runbookUrl: context.runbookUrl,
    holdReasons: meaningsOf(counts.total.heldByReason),
    cache: view.cache,
    lastPass: lastPass && passState(lastPass),
    backends: backends.map(backendState),
    nodes: nodeReports(preview, counts.byNode),
    counts: counts.total,
    attachments,
  };
}

/** What each reason means; a reason that this build does not know has no meaning here. */
function meaningsOf(heldByReason: StateCounts['heldByReason']): Readonly<Record<string, string>> {
  const known: Readonly<Record<string, string>> = HOLD_REASONS;
  return Object.fromEntries(
    Object.keys(heldByReason).flatMap((reason) =>
      known[reason] === undefined ? [] : [[reason, known[reason]]],
    ),
  );
}

/** An attachment of a lost node, or a hold that concerns the attachment itself. */
function isNews({ nodeState, decision }: AttachmentState): boolean {
  return nodeState !== 'ready' || decision === 'hold';
}

/** Pods on the node of the attachment that mount its claim. */
function claimPods(
  { node, volume, verdict }: Decision,
  podsOnNode: ReportContext['podsOnNode'],
): readonly PodFact[] {
  const claim = volume?.claim;
  if (!claim || !podsOnNode || (node.kind === 'ready' && verdict.kind === 'keep')) return [];
  return [...podsOnNode(node.name)].filter(
    (pod) => pod.namespace === claim.namespace && pod.claimNames.includes(claim.name),
  );
}

class Counts {
  readonly byNode = new Map<string, number>();
  readonly #byVerdict: Record<string, number> = { keep: 0, wait: 0, hold: 0, fence: 0, release: 0 };
  readonly #heldByReason: Record<string, number> = {};
  #attachments = 0;
  #ready = 0;
  #blocked = 0;

  add(
    {
      node,
      nodeState,
      decision,
      reason,
    }: Pick<AttachmentState, 'node' | 'nodeState' | 'decision' | 'reason'>,
    isBlockedHere = false,
  ): void {
    if (isBlockedHere) this.#blocked++;
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
      blocked: this.#blocked,
    };
  }
}

function passState({ reconcileId, reasons, startedAtMs, durationMs, result }: LastPass): PassState {
  return { reconcileId, reasons: [...reasons], startedAtMs, durationMs, result };
}

function backendState(backend: ReportContext['backends'][number]): BackendState {
  const { connected, detail } = backend.health();
  const {
    observedAtMs: readAtMs,
    liveHosts,
    enforcement,
    fences = [],
    unattributed = [],
  } = backend.lastReading ?? {};
  return {
    name: backend.name,
    connected,
    detail,
    readAtMs,
    liveHosts,
    ...(unattributed.length > 0 && { unattributed: unattributed.map(({ address }) => address.value) }),
    enforcement,
    fences: fences.map(({ addresses, inForce: _inForce, ...fence }) => ({
      ...fence,
      addresses: addresses.map(({ value }) => value),
    })),
  };
}

function nodeReports({ view, cleanups }: Preview, attachments: ReadonlyMap<string, number>): NodeReport[] {
  const fences = new Map<string, NodeFence[]>();
  const taints = new Map<string, string>();
  for (const cleanup of cleanups) {
    const words = `${cleanup.kind.startsWith('keep') ? 'stays' : 'goes'}: ${cleanup.why}`;
    if (!('fence' in cleanup)) {
      taints.set(cleanup.node.name, words);
      continue;
    }
    const { fence, backendName: backend } = cleanup;
    const { id, fencedAtMs, nodeName } = fence;
    fences.set(nodeName, [...(fences.get(nodeName) ?? []), { backend, id, fencedAtMs, cleanup: words }]);
  }
  return [...view.nodes.values()].map((node): NodeReport => {
    const fact = nodeFactOf(node);
    const taint = taints.get(node.name);
    const sinceMs = node.kind === 'ready' ? node.node.readyChangedAtMs : node.sinceMs;
    return {
      name: node.name,
      uid: fact?.uid,
      state: node.kind,
      sinceMs,
      addresses:
        view.storageNodes.get(node.name)?.addresses.map(({ value }) => value) ?? fact?.storageAddresses ?? [],
      attachments: attachments.get(node.name) ?? 0,
      fences: fences.get(node.name) ?? [],
      taintCleanup: taint,
    };
  });
}

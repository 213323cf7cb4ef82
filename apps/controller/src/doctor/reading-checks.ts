import type { Mode, NodeFact, StorageReading } from '@reattach/core';
import { type Check, gate, ok, someOf, warning } from './check.ts';

/** What one reading of a backend must show, whatever the product. */
export interface ReadingQuestion {
  readonly reading: StorageReading;
  readonly nodes: readonly NodeFact[];
  readonly mode: Mode;
  /** Key of the backend's settings, `rds`. */
  readonly kind: string;
  /** The backend's settings have an option for hosts outside the cluster. */
  readonly hasForeignAddresses: boolean;
  readonly activityWindowMs: number;
}

export function readingChecks(question: ReadingQuestion): readonly Check[] {
  return [sessions(question), keepAlives(question), readyNodes(question), ...skippedRows(question)];
}

/** A live session of an unknown host may be a node under another address: it holds every release. */
function sessions({ reading, nodes, mode, kind, hasForeignAddresses }: ReadingQuestion): Check {
  const name = 'sessions';
  if (nodes.length === 0)
    return warning(
      name,
      'They cannot be attributed, because no Node was read',
      'Fix the failure of the cluster first',
    );
  const strangers = reading.unattributed.map(({ address: { value } }) => value);
  if (strangers.length === 0) return ok(name, 'Every live session belongs to a node of the cluster');
  const foreign = hasForeignAddresses
    ? `; for hosts outside the cluster: ${kind}.foreignAddresses=${strangers.join(',')}`
    : '';
  return gate(mode)(
    name,
    `Live sessions come from ${someOf(strangers)}, which belong to no node: while they last, nothing is released`,
    `For another address of a node: kubectl annotate node NODE reattach.srvlab.io/storage-addresses=${strangers[0]}${foreign}`,
  );
}

/** Silence proves something only when a living host speaks more often than the activity window. */
function keepAlives({ reading, nodes, kind, activityWindowMs }: ReadingQuestion): Check {
  const name = 'keep-alives';
  const slow = nodes.flatMap((node) => {
    const evidence = node.ready ? reading.evidence.get(node.name) : undefined;
    if (evidence === undefined || (evidence.kind === 'unknown' && evidence.reason !== 'long-cadence'))
      return [];
    if (evidence.kind === 'unknown') return [`${node.name} (${evidence.detail})`];
    const { lastActivityMs = reading.observedAtMs } = evidence;
    const quietMs = reading.observedAtMs - lastActivityMs;
    return quietMs > activityWindowMs / 2
      ? [`${node.name} (silent for ${Math.round(quietMs / 1_000)} s)`]
      : [];
  });
  if (slow.length === 0)
    return ok(
      name,
      `Ready nodes with a session spoke within half of ${Math.round(activityWindowMs / 1_000)} s`,
    );
  return warning(
    name,
    `Ready nodes speak rarely: ${someOf(slow)}. Their death is seen only after twice their longest silence`,
    `Connect with a keep-alive timeout of 5 s (nvme connect --keep-alive-tmo=5, or the option of the CSI driver), or raise ${kind}.activityWindowMs`,
  );
}

/** A fence outlives the node it was made for; another node may get its address. */
function readyNodes({ reading: { fences = [] }, nodes }: ReadingQuestion): Check {
  const name = 'fenced addresses';
  const hit = nodes.flatMap((node) => {
    const own = new Set(node.storageAddresses);
    if (!node.ready) return [];
    return fences.flatMap((fence) => {
      const address = fence.inForce.find(({ value }) => own.has(value))?.value;
      const isOther =
        fence.nodeName !== node.name ||
        (fence.machineId !== undefined && node.machineId !== undefined && fence.machineId !== node.machineId);
      return address !== undefined && isOther ? [{ node: node.name, address, fence }] : [];
    });
  });
  const [first] = hit;
  if (!first) return ok(name, 'No Ready node has an address that is fenced for another node');
  const list = hit.map(
    ({ node, address, fence }) => `${address} of ${node}, for ${fence.nodeName} (${fence.id})`,
  );
  return gate('fence')(
    name,
    `Ready nodes are cut off by fences of other nodes: ${someOf(list)}`,
    `When the machine of ${first.fence.nodeName} is switched off or rebooted: reattach unfence ${first.fence.nodeName} --force; else give ${first.node} another address`,
  );
}

function skippedRows({ reading: { skipped = [] } }: ReadingQuestion): readonly Check[] {
  if (skipped.length === 0) return [];
  return [
    warning(
      'rows understood',
      `${skipped.length} rows of the reply were skipped: ${someOf(skipped)}`,
      'Check that they do not concern this cluster, and report them with the output of reattach support-bundle',
    ),
  ];
}

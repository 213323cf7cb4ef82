import {
  addressConflicts,
  addressKey,
  type ClusterView,
  describeAddresses,
  type FenceRecord,
  type NodeState,
  nodeFactOf,
  type Policy,
  type StorageAddress,
} from '@reattach/core';
import { CliError } from './cli-error.ts';
import type { CliIo } from './cli-io.ts';
import { type Call, type Command, OUTPUT_FLAG } from './command.ts';
import { confirm, YES_FLAG } from './confirm.ts';
import { type ManualAction, REASON_FLAG, recordManual } from './manual-action.ts';
import { type NodeAtBackend, nodeAtBackends, nodeNamed, storageAddressesOf } from './node-at-backend.ts';
import { print } from './print.ts';
import { readConfig } from './read-config.ts';
import { newFenceId, StandaloneView } from './standalone-view.ts';
import { count, nodeStateWords } from './words.ts';

export const fenceCommand: Command = {
  name: 'fence',
  args: ['<node>'],
  summary:
    'Cut a node off at the backend, after a confirmation. Refused unless the backend knows the node: live or silent.',
  flags: [
    {
      name: '--backend',
      value: 'name',
      description: 'Only at this backend. Default: those that hold a volume of the node, else all.',
    },
    REASON_FLAG,
    YES_FLAG,
    OUTPUT_FLAG,
  ],
  async run(call, io) {
    const [name = ''] = call.args;
    await using standalone = await StandaloneView.open(readConfig(call.configArgv, io), io.clock, io.signal);
    const examine = () => examineNode(name, standalone, backendOf(call), io);
    const asked = await examine();
    if (asked.open.length === 0) {
      io.stderr(
        `Node ${name} is fenced already at ${asked.seen.map(({ backend }) => backend.name).join(', ')}\n`,
      );
      return print(call, io, { node: name, fences: [] }, () => '');
    }
    await confirm(call, io, name, consequences(asked));
    const { node, addresses, open } = await examine(); // the answer may have taken minutes
    if (bootOf(node) !== bootOf(asked.node)) {
      throw new CliError(`Node ${name} has booted or was replaced meanwhile; nothing was changed`);
    }
    const fences: { backend: string; id: string; addresses: readonly string[] }[] = [];
    const actions: ManualAction[] = [];
    for (const each of open) {
      const missing = openAddresses(each, node, addresses);
      const fence = recordFor(node, each, missing, standalone.config.policy.attacher, io.clock.now());
      await each.backend.fence(fence, missing, io.signal);
      fences.push({ backend: each.backend.name, id: fence.id, addresses: missing.map(({ value }) => value) });
      actions.push(actionOf(fence, missing, each));
    }
    await recordManual(actions, call, io, standalone);
    return print(
      call,
      io,
      { node: name, fences },
      () => `It stays until the node has booted: reattach unfence ${name}\n`,
    );
  },
};

function actionOf(
  { id, fencedAtMs, nodeName: node, nodeUid }: FenceRecord,
  cutOff: readonly StorageAddress[],
  { backend, evidence }: NodeAtBackend,
): ManualAction {
  const addresses = cutOff.map(({ value }) => value);
  const why = `The backend said ${evidence.kind}: ${evidence.detail}`;
  return { kind: 'fenced', node, nodeUid, backend: backend.name, fence: { id, fencedAtMs, addresses }, why };
}

/** A node that may be fenced, and where it is not yet. */
interface Examined {
  readonly node: NodeState;
  readonly addresses: readonly StorageAddress[];
  readonly seen: readonly NodeAtBackend[];
  readonly open: readonly NodeAtBackend[];
}

/** @throws {CliError} why it may not be fenced. */
async function examineNode(
  name: string,
  standalone: StandaloneView,
  backend: string | undefined,
  { clock, signal }: CliIo,
): Promise<Examined> {
  const { view } = await standalone.read();
  const node = nodeNamed(name, view);
  const addresses = storageAddressesOf(node, view);
  refuseNode(node, addresses, standalone.policy);
  refuseConflict(node, addresses, view, standalone.policy);
  const seen = await nodeAtBackends(node, view, standalone, backend, signal);
  for (const each of seen) refuseBackend(each, clock.now());
  const open = seen.filter((each) => openAddresses(each, node, addresses).length > 0);
  return { node, addresses, seen, open };
}

function bootOf(node: NodeState): string {
  const { uid, bootId } = nodeFactOf(node) ?? {};
  return `${uid} ${bootId}`;
}

export function backendOf({ flags }: Call): string | undefined {
  const backend = flags.get('--backend');
  return typeof backend === 'string' ? backend : undefined;
}

/** The same reasons as a pass has. */
function refuseNode(
  node: NodeState,
  addresses: readonly StorageAddress[],
  { fence: { neverFence } }: Policy,
): void {
  const unreadable = nodeFactOf(node)?.unreadableAddresses;
  if (unreadable !== undefined) {
    throw new CliError(
      `Node ${node.name} names storage addresses that are not IP addresses (${unreadable.map((each) => JSON.stringify(each)).join(', ')}); correct its annotation reattach.srvlab.io/storage-addresses`,
    );
  }
  if (addresses.length === 0)
    throw new CliError(`No storage address of node ${node.name} is known, so nothing would be cut off`);
  const v6 = addresses.filter(({ value }) => value.includes(':'));
  if (v6.length > 0) {
    throw new CliError(
      `Node ${node.name} has IPv6 storage addresses (${describeAddresses(v6)}), and fences are IPv4 only; name its IPv4 addresses in the annotation reattach.srvlab.io/storage-addresses`,
    );
  }
  const selector = Object.entries(neverFence);
  const labels = nodeFactOf(node)?.labels;
  if (selector.length > 0 && (!labels || selector.every(([key, value]) => labels[key] === value))) {
    throw new CliError(
      `Node ${node.name} is, or may be, one that fence.neverFence excludes: it boots from the backend`,
    );
  }
}

/** By the rule that passes use: the fence would cut off whatever else has the address. */
function refuseConflict(
  { name }: NodeState,
  addresses: readonly StorageAddress[],
  { nodes }: ClusterView,
  policy: Policy,
): void {
  const storageNodes = new Map([[name, { name, addresses, addressesFrom: 'node' as const }]]);
  const conflict = addressConflicts({ nodes, storageNodes }, policy.addresses)(name);
  if (conflict !== undefined) throw new CliError(`${conflict}; a fence would cut off both`);
}

function refuseBackend({ backend, reading, evidence, attachments }: NodeAtBackend, nowMs: number): void {
  const { enforcement, fences } = reading;
  if (evidence.kind === 'unknown') {
    throw new CliError(
      `Backend ${backend.name} does not know the node: ${evidence.detail} (${evidence.reason}). Only a node that the backend has seen at these addresses may be fenced`,
    );
  }
  if (!enforcement || !fences) throw new CliError(`Fences at backend ${backend.name} could not be read`);
  if (enforcement.kind === 'not-enforced') {
    const fix = enforcement.fix === undefined ? '' : `; fix: ${enforcement.fix}`;
    throw new CliError(`A fence at backend ${backend.name} would cut nothing: ${enforcement.detail}${fix}`);
  }
  const migrating = attachments.find(
    ({ vmMigrating, migrationUntilMs = 0 }) => vmMigrating || migrationUntilMs > nowMs,
  );
  if (migrating) {
    throw new CliError(
      `A fence would also cut off ${migrating.attachment.persistentVolumeName}, which is in a live migration`,
    );
  }
}

function openAddresses(
  { reading }: NodeAtBackend,
  { name }: NodeState,
  addresses: readonly StorageAddress[],
): readonly StorageAddress[] {
  const own = (reading.fences ?? []).filter(({ nodeName }) => nodeName === name);
  const fenced = new Set(own.flatMap(({ inForce }) => inForce.map(addressKey)));
  return addresses.filter((address) => !fenced.has(addressKey(address)));
}

/** As a pass names it; the rest of a fence that was left half done gets the name of the first half, if of the same boot. */
function recordFor(
  node: NodeState,
  { reading }: NodeAtBackend,
  addresses: readonly StorageAddress[],
  owner: string,
  nowMs: number,
): FenceRecord {
  const fact = nodeFactOf(node);
  const partial = (reading.fences ?? []).find(({ nodeName }) => nodeName === node.name);
  if (partial && (fact?.bootId === undefined || partial.bootId === fact.bootId)) return partial;
  return {
    id: newFenceId(),
    owner,
    nodeName: node.name,
    nodeUid: fact?.uid,
    bootId: fact?.bootId,
    machineId: fact?.machineId,
    addresses,
    fencedAtMs: nowMs,
  };
}

function consequences({ node, addresses, open }: Examined): string {
  const lines = open.flatMap(({ backend, evidence, attachments }) => {
    const volumes = attachments.map(({ attachment }) => attachment.persistentVolumeName ?? attachment.name);
    const names = volumes.length === 0 ? '' : `: ${volumes.join(', ')}`;
    return [
      `Backend ${backend.name} will drop everything from ${describeAddresses(addresses)}: every disk of node ${node.name} there, ${count(volumes.length, 'attached volume')} of ours among them${names}.`,
      `The backend says ${evidence.kind}: ${evidence.detail}.`,
    ];
  });
  const state = `The node is ${nodeStateWords(node.kind)}`;
  const advice = node.kind === 'ready' ? '; Kubernetes goes on placing pods there: cordon it' : '';
  return [...lines, `${state}${advice}.`].join('\n');
}

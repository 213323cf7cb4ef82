import { delay, type Fence, isFenceOf } from '@reattach/core';
import { apiPaths, CONFIRMED_OFF } from '@reattach/k8s-api';
import { CliError } from './cli-error.ts';
import type { CliIo } from './cli-io.ts';
import { type Call, type Command, OUTPUT_FLAG } from './command.ts';
import { confirm, YES_FLAG } from './confirm.ts';
import { backendOf } from './fence.ts';
import { type ManualAction, REASON_FLAG, recordManual } from './manual-action.ts';
import { type NodeAtBackend, nodeAtBackends, nodeNamed } from './node-at-backend.ts';
import { print } from './print.ts';
import { readConfig } from './read-config.ts';
import { StandaloneView } from './standalone-view.ts';
import { count } from './words.ts';

export const confirmOffCommand: Command = {
  name: 'confirm-off',
  args: ['<node>'],
  summary:
    'Confirm that a fenced machine is powered off and its writes have ended, so that volumes held as `quiesce-unproved` are released. Refused for a node that is Ready, live at the backend or not fenced.',
  flags: [
    {
      name: '--backend',
      value: 'name',
      description: 'Only at this backend. Default: those that hold a volume of the node.',
    },
    REASON_FLAG,
    YES_FLAG,
    OUTPUT_FLAG,
  ],
  async run(call, io) {
    const [name = ''] = call.args;
    await using standalone = await StandaloneView.open(readConfig(call.configArgv, io), io.clock, io.signal);
    const asked = await examineWhenSilent(name, standalone, call, io);
    await confirm(call, io, name, consequence(name, asked));
    const agreed = new Set(asked.flatMap(({ fences }) => fences.map(({ id }) => id)));
    const confirmed: { volumeAttachment: string; fences: readonly string[] }[] = [];
    const actions: ManualAction[] = [];
    // The answer may have taken minutes: only fences that were named in the question are confirmed.
    for (const { at, fences } of await examine(name, standalone, call, io)) {
      const same = fences.filter(({ id }) => agreed.has(id));
      if (same.length === 0) continue;
      const ids = same.map(({ id }) => id);
      for (const { attachment } of at.attachments) {
        await annotate(attachment.name, attachment.uid, ids.join(','), standalone, io.signal);
        confirmed.push({ volumeAttachment: attachment.name, fences: ids });
      }
      actions.push(...same.map((fence) => actionOf(fence, at)));
    }
    await recordManual(actions, call, io, standalone);
    return print(call, io, { node: name, confirmed }, () => '');
  },
};

/**
 * Longest wait for a backend to stop calling the node live, ms: several activity windows. This process has just begun to read it, so
 * the first readings cannot exclude that a connection which is gone was active until then.
 */
const MAX_LIVE_MS = 60_000;
const REREAD_MS = 1_000;

/** The node is live at a backend, as far as readings show yet. */
class StillLive extends CliError {}

interface Confirmable {
  readonly at: NodeAtBackend;
  /** Ours, in force now. */
  readonly fences: readonly Fence[];
}

/** As {@link examine}, once no backend calls the node live any more. @throws {CliError} also when one still does after a minute */
async function examineWhenSilent(
  name: string,
  standalone: StandaloneView,
  call: Call,
  io: CliIo,
): Promise<readonly Confirmable[]> {
  const endMs = io.clock.now() + MAX_LIVE_MS;
  for (;;) {
    try {
      return await examine(name, standalone, call, io);
    } catch (err) {
      if (!(err instanceof StillLive) || io.clock.now() >= endMs) throw err;
    }
    await delay(io.clock, REREAD_MS, io.signal);
  }
}

/** Where the node is fenced and something of it is attached. @throws {CliError} why its machine cannot be off. */
async function examine(
  name: string,
  standalone: StandaloneView,
  call: Call,
  io: CliIo,
): Promise<readonly Confirmable[]> {
  const { view } = await standalone.read();
  const node = nodeNamed(name, view);
  if (node.kind === 'ready' || node.kind === 'lease-stale')
    throw new CliError(`Node ${name} is Ready, so its machine is not off`);
  const owner = { owner: standalone.config.policy.attacher, clusterId: view.clusterId };
  const identity = view.storageNodes.get(name) ?? { name, addresses: [] };
  const found: Confirmable[] = [];
  for (const at of await nodeAtBackends(node, view, standalone, backendOf(call), io.signal)) {
    const { evidence, backend, reading, attachments } = at;
    if (evidence.kind === 'live')
      throw new StillLive(`Backend ${backend.name} says that node ${name} is live: ${evidence.detail}`);
    const fences = (reading.fences ?? []).filter(
      (fence) => isFenceOf(fence, identity, owner) && fence.damage === undefined,
    );
    if (fences.length > 0 && attachments.length > 0) found.push({ at, fences });
  }
  if (found.length > 0) return found;
  throw new CliError(
    `Node ${name} has no fence at a backend that holds a volume attached to it; fence it first: reattach fence ${name}`,
  );
}

function consequence(name: string, found: readonly Confirmable[]): string {
  const lines = found.map(
    ({ at, fences }) =>
      `Backend ${at.backend.name}, fence ${fences.map(({ id }) => id).join(', ')}: ${count(at.attachments.length, 'volume')} may be released.`,
  );
  return [
    ...lines,
    `You confirm that the machine of node ${name} is powered off, and that the backend has finished its writes: its disks are idle.`,
    'If one of them still writes, data of the next writer is overwritten.',
  ].join('\n');
}

/** The uid is a precondition: the confirmation is about this very attachment. */
async function annotate(
  name: string,
  uid: string,
  fenceIds: string,
  { api }: StandaloneView,
  signal: AbortSignal,
): Promise<void> {
  await api.request({
    method: 'PATCH',
    path: apiPaths.volumeAttachment(name),
    body: { metadata: { uid, annotations: { [CONFIRMED_OFF]: fenceIds } } },
    contentType: 'application/merge-patch+json',
    operation: 'confirm volumeattachment off',
    signal,
  });
}

function actionOf({ id, addresses, fencedAtMs, nodeUid, nodeName }: Fence, at: NodeAtBackend): ManualAction {
  return {
    kind: 'confirmed-off',
    node: nodeName,
    nodeUid,
    backend: at.backend.name,
    fence: { id, addresses: addresses.map(({ value }) => value), fencedAtMs },
    why: `The backend said ${at.evidence.kind}: ${at.evidence.detail}`,
  };
}

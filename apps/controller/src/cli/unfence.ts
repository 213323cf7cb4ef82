import { podNamespace } from '@reattach/controller-kit';
import type { Fence, Preview, StorageBackend } from '@reattach/core';
import { LeaseFenceRecords } from '@reattach/k8s-actions';
import { CliError } from './cli-error.ts';
import { type Call, type Command, OUTPUT_FLAG } from './command.ts';
import { confirm, YES_FLAG } from './confirm.ts';
import { backendOf } from './fence.ts';
import { type ManualAction, REASON_FLAG, recordManual } from './manual-action.ts';
import { print } from './print.ts';
import { readConfig } from './read-config.ts';
import { StandaloneView } from './standalone-view.ts';

/** A fence in force, and what a pass would do with it. */
interface FenceInForce {
  readonly backend: StorageBackend;
  readonly fence: Fence;
  readonly why: string;
  readonly mayGo: boolean;
}

export const unfenceCommand: Command = {
  name: 'unfence',
  args: ['<node>'],
  summary:
    'Remove the fence of a node at the backend, after a confirmation. Refused unless the node is Ready and proved clean, or with `--force`.',
  flags: [
    { name: '--backend', value: 'name', description: 'Only at this backend. Default: at every backend.' },
    {
      name: '--force',
      description: 'Also for a node that is not proved clean: it may write data that it still holds.',
    },
    REASON_FLAG,
    YES_FLAG,
    OUTPUT_FLAG,
  ],
  async run(call, io) {
    const [name = ''] = call.args;
    await using standalone = await StandaloneView.open(readConfig(call.configArgv, io), io.clock, io.signal);
    const examine = async () => examineFences(name, await standalone.read('fence'), standalone, call);
    const asked = await examine();
    await confirm(call, io, name, consequence(name, asked));
    const agreed = new Set(asked.map(({ fence }) => fence.id));
    // The answer may have taken minutes.
    const inForce = (await examine()).filter(({ fence }) => agreed.has(fence.id));
    const fences: { backend: string; id: string }[] = [];
    const actions: ManualAction[] = [];
    const records = fenceRecordsOf(standalone);
    for (const { backend, fence, why } of inForce) {
      await records?.remove(backend.name, fence.id, io.signal); // else a controller that runs would put the fence back
      await backend.unfence(fence, io.signal);
      fences.push({ backend: backend.name, id: fence.id });
      const { id, addresses, fencedAtMs, nodeUid } = fence;
      const record = { id, addresses: addresses.map(({ value }) => value), fencedAtMs };
      actions.push({ kind: 'unfenced', node: name, nodeUid, backend: backend.name, fence: record, why });
    }
    await recordManual(actions, call, io, standalone);
    return print(call, io, { node: name, fences }, () => '');
  },
};

/** Where a controller keeps the records of its fences; `undefined` without leader election. */
function fenceRecordsOf({ config, api }: StandaloneView): LeaseFenceRecords | undefined {
  const { leaderElection, policy } = config;
  if (!leaderElection) return undefined;
  const { leaseName, namespace = podNamespace() } = leaderElection;
  return new LeaseFenceRecords({ api, namespace, name: `${leaseName}-fences`, owner: policy.attacher });
}

/** The fences of the node that may go. @throws {CliError} when there are none, or one may not go. */
function examineFences(
  name: string,
  seen: Preview,
  standalone: StandaloneView,
  call: Call,
): readonly FenceInForce[] {
  const only = backendOf(call);
  const inForce = fencesOf(seen, standalone).filter(
    ({ fence, backend }) => fence.nodeName === name && (only === undefined || backend.name === only),
  );
  if (inForce.length === 0) {
    throw new CliError(`${whyNone(standalone, only)}Node ${JSON.stringify(name)} is not fenced`);
  }
  const refused = inForce.filter(({ mayGo }) => !mayGo);
  if (refused.length === 0 || call.flags.has('--force')) return inForce;
  const reasons = refused.map(
    ({ backend, fence, why }) => `  backend ${backend.name}, fence ${fence.id}: ${why}`,
  );
  const advice =
    'Reboot it, or confirm that it is clean: reattach.srvlab.io/clean=<fence id> on the Node, or --force';
  throw new CliError([`Node ${name} stays cut off:`, ...reasons, advice].join('\n'));
}

/** Evaluated in mode fence, whatever mode is configured, because a person asks and not a pass. */
function fencesOf({ cleanups }: Preview, { backends }: StandaloneView): readonly FenceInForce[] {
  return cleanups.flatMap((cleanup): FenceInForce[] => {
    if (!('fence' in cleanup)) return [];
    const { kind, fence, why, backendName } = cleanup;
    const backend = backends.find((each) => each.name === backendName);
    return backend ? [{ backend, fence, why, mayGo: kind === 'unfence' }] : [];
  });
}

/** A backend that could not be read may have some. */
function whyNone({ backends }: StandaloneView, only: string | undefined): string {
  const unread = backends.filter(
    (backend) => backend.lastReading?.fences === undefined && (only === undefined || backend.name === only),
  );
  return unread
    .map((backend) => `Backend ${backend.name} could not be read: ${backend.health().detail}\n`)
    .join('');
}

function consequence(name: string, inForce: readonly FenceInForce[]): string {
  const where = inForce
    .map(({ backend, fence }) => `backend ${backend.name} (fence ${fence.id})`)
    .join(' and ');
  const dangers = inForce.flatMap(({ mayGo, why }) =>
    mayGo
      ? []
      : [
          `Not proved clean: ${why}. It may now write data that it held when it was cut off, over what other nodes have written since.`,
        ],
  );
  return [`Node ${name} will be let back to ${where}.`, ...dangers].join('\n');
}

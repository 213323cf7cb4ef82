import { decideRecoveries, type FenceFact, type Inspection, type Policy } from '@reattach/core';
import type { RdsBox } from '@reattach/rds-client';
import { CliError } from './cli-error.ts';
import { type Call, type Command, OUTPUT_FLAG } from './command.ts';
import { confirm, YES_FLAG } from './confirm.ts';
import { boxOf } from './fence.ts';
import { OneShot } from './one-shot.ts';
import { print } from './print.ts';
import { readConfig } from './read-config.ts';

/** A fence that stands, and what a pass would make of it. */
interface Standing {
  readonly box: RdsBox;
  readonly fence: FenceFact;
  readonly why: string;
  readonly mayGo: boolean;
}

export const unfenceCommand: Command = {
  name: 'unfence',
  args: ['<node>'],
  summary:
    'Let a fenced node back to the box, after a confirmation. Refused unless the node is Ready and proved clean, as a pass would, or `--force`.',
  flags: [
    { name: '--box', value: 'name', description: 'Only at this box. Default: at all.' },
    { name: '--force', description: 'Also a node that is not proved clean: it may write what it held back.' },
    YES_FLAG,
    OUTPUT_FLAG,
  ],
  async run(call, io) {
    const [name = ''] = call.args;
    await using shot = await OneShot.open(readConfig(call.configArgv, io), io.clock, io.signal);
    const examine = async () => examineFences(name, await shot.look(), shot, call);
    const asked = await examine();
    await confirm(call, io, name, consequence(name, asked));
    const agreed = new Set(asked.map(({ fence }) => fence.id));
    // Whoever was asked may have taken their time.
    const standing = (await examine()).filter(({ fence }) => agreed.has(fence.id));
    const fences: { box: string; id: string }[] = [];
    for (const { box, fence } of standing) {
      await box.unfence(fence, io.signal);
      fences.push({ box: box.name, id: fence.id });
      io.stderr(`Let node ${name} back to box ${box.name} (fence ${fence.id}), and read it back\n`);
    }
    return print(call, io, { node: name, fences }, () => '');
  },
};

/** The fences of the node that may go. @throws {CliError} when there are none, or one may not go. */
function examineFences(name: string, seen: Inspection, shot: OneShot, call: Call): readonly Standing[] {
  const only = boxOf(call);
  const standing = standingFences(seen, shot).filter(
    ({ fence, box }) => fence.nodeName === name && (only === undefined || box.name === only),
  );
  if (standing.length === 0) {
    throw new CliError(`${whyNone(shot, only)}No fence of node ${JSON.stringify(name)} stands`);
  }
  const refused = standing.filter(({ mayGo }) => !mayGo);
  if (refused.length === 0 || call.flags.has('--force')) return standing;
  const reasons = refused.map(({ box, fence, why }) => `  box ${box.name}, fence ${fence.id}: ${why}`);
  const advice = 'Reboot it, or vouch for it: reattach.srvlab.io/clean=<fence id> on the Node, or --force';
  throw new CliError([`Node ${name} stays cut off:`, ...reasons, advice].join('\n'));
}

/** Judged as in mode fence, whatever this command is configured with: a person asks, not a pass. */
function standingFences({ view, nowMs }: Inspection, { config, boxes }: OneShot): readonly Standing[] {
  const policy: Policy = { ...config.policy, mode: 'fence' };
  return decideRecoveries(view, policy, nowMs).flatMap((recovery): Standing[] => {
    if (!('fence' in recovery)) return [];
    const { kind, fence, why, boxName } = recovery;
    const box = boxes.find((each) => each.name === boxName);
    return box ? [{ box, fence, why, mayGo: kind === 'unfence' }] : [];
  });
}

/** A box that could not be read may have some. */
function whyNone({ boxes }: OneShot, only: string | undefined): string {
  const unread = boxes.filter(
    (box) => box.lastReading?.fences === undefined && (only === undefined || box.name === only),
  );
  return unread.map((box) => `Box ${box.name} could not be read: ${box.health().detail}\n`).join('');
}

function consequence(name: string, standing: readonly Standing[]): string {
  const where = standing.map(({ box, fence }) => `box ${box.name} (fence ${fence.id})`).join(' and ');
  const dangers = standing.flatMap(({ mayGo, why }) =>
    mayGo
      ? []
      : [
          `Not proved clean: ${why}. What it held back when it was cut off it may write now, over what others have written since.`,
        ],
  );
  return [`Node ${name} will be let back to ${where}.`, ...dangers].join('\n');
}

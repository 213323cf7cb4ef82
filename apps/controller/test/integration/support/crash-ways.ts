import { type CrashResult, type Death, failOver, type Loss } from './crash.ts';
import { CUTS } from './effects.ts';
import type { Flags } from './lab.ts';

/** A way in which a node is lost and released. */
export interface Way {
  readonly name: string;
  readonly flags: Flags;
  readonly loss: Loss;
}

/** Ways in which the node is silent when it is cut off. */
export const SILENT_WAYS: readonly Way[] = [
  { name: 'silent, in-use', flags: { strategy: 'in-use' }, loss: {} },
  { name: 'silent, delete', flags: { strategy: 'delete' }, loss: {} },
  { name: 'silent, Node deleted', flags: {}, loss: { nodeDeleted: true } },
  { name: 'silent, Node deleted, no other pod on it', flags: {}, loss: { nodeDeleted: true, alone: true } },
];

/** Ways in which the node writes on until it is cut off. */
export const WRITING_WAYS: readonly Way[] = [
  { name: 'fence, auto', flags: {}, loss: { writesOn: true } },
  { name: 'fence, delete', flags: { strategy: 'delete' }, loss: { writesOn: true } },
  {
    name: 'fence, out-of-service',
    flags: { strategy: 'out-of-service', 'other-drivers': 'release-ours' },
    loss: { writesOn: true },
  },
  {
    name: 'fence, early detection',
    flags: { 'early-detection': true, 'lease-stale-ms': 1_500 },
    loss: { unnoticed: true },
  },
  { name: 'fence, Node deleted', flags: {}, loss: { nodeDeleted: true, writesOn: true } },
];

/** What came of one death. */
export interface Outcome extends Pick<CrashResult, 'end' | 'deaths' | 'isConfirmed'> {
  /** For the message of a test that fails. */
  readonly how: string;
}

/** One that lives, first, then one that dies at each of that one's effects in turn, each in a world of its own. */
export async function dieAtEachEffect({ flags, loss }: Way): Promise<readonly Outcome[]> {
  const undisturbed = await failOver(flags, loss, []);
  const outcomes: Outcome[] = [{ how: 'undisturbed', ...undisturbed }];
  for (const effect of undisturbed.effects) {
    for (const cut of CUTS) {
      outcomes.push(
        await die({ flags, loss }, [{ effect, cut }], `cut ${cut} of ${effect.at} ${effect.number}`),
      );
    }
  }
  return outcomes;
}

/** Controllers die as scripted. @throws naming `how` when the world does not recover. */
export async function die(
  { flags, loss }: Pick<Way, 'flags' | 'loss'>,
  deaths: readonly Death[],
  how: string,
): Promise<Outcome> {
  try {
    return { how, ...(await failOver(flags, loss, deaths)) };
  } catch (cause) {
    throw new Error(how, { cause });
  }
}

import type { Fence, FenceRecord } from '@reattach/core';
import { BackendError, type SshSession } from '@reattach/ssh-transport';
import { formatFenceComment, parseFenceComment } from './fence-comment.ts';
import { isInForce } from './fence-entries.ts';
import { fenceGuard, isDropRule } from './fence-guard.ts';
import type { CommandName, RouterOsClient } from './router-os-client.ts';
import {
  addFenceStatement,
  enableDropRuleStatement,
  fenceStatements,
  removeFenceStatement,
  removeRestoredRulesStatement,
  restampFenceStatement,
  restoreDropRuleStatement,
  type Statement,
} from './routeros/queries.ts';
import { parseFenceEntries, parseRawRules } from './routeros/rows.ts';
import { addressValue } from './routeros/values.ts';
import type { Dialect, FenceEntry, RawRule } from './snapshot.ts';

/** A connection over which the fence list may be changed. */
export interface FenceLink {
  readonly backend: string;
  readonly client: RouterOsClient;
  readonly session: SshSession;
  readonly dialect: Dialect;
  /** Ports of the exports as they were last read, which the drop rule must cover. */
  readonly exportPorts: readonly number[];
  readonly signal: AbortSignal;
}

/**
 * Puts `addresses` on the fence list under `record` and reads it back. An entry of this record in force stays. One that another
 * record of the same cluster and owner holds, or that was disabled, is given to this record in place, so that there is no
 * moment without a fence; one that expires is replaced. A drop rule that was removed, disabled, narrowed or bypassed is put back,
 * because entries without it cut nothing off.
 * @param connect called after the values were checked
 * @returns whether anything had to be changed
 * @throws {BackendError} INVALID_VALUE before anything is sent; NOT_FENCED when the read-back shows otherwise, for instance
 * because a foreign entry is in the way; `not-applied` only while surely nothing was changed
 */
export async function fenceAddresses(
  connect: () => Promise<FenceLink>,
  record: FenceRecord,
  addresses: readonly string[],
): Promise<boolean> {
  const comment = formatFenceComment(record);
  const wanted = [...new Set(addresses.map(addressValue))];
  if (wanted.length === 0) {
    throw new BackendError(
      'INVALID_VALUE',
      'not-applied',
      `Fence ${record.id} of node ${record.nodeName} has no address`,
    );
  }
  const link = await connect();
  const before = await readFences(link);
  const missing = wanted.filter((address) => !isFencedBy(before.entries, record, address));
  const isEnforced = fenceGuard(before.rules, link.exportPorts).kind === 'enforced';
  if (missing.length === 0 && isEnforced) return false;
  await change(link, async (run) => {
    if (!isEnforced) await restoreDropRule(link, before.rules, run);
    for (const address of missing) await cutOff(address, comment, record, before.entries, run);
    const { entries: after, rules } = await readFences(link);
    const guard = fenceGuard(rules, link.exportPorts);
    if (guard.kind === 'not-enforced') {
      const why = `Backend ${link.backend} does not enforce fence ${record.id}: ${guard.detail}`;
      throw new BackendError('NOT_FENCED', 'not-applied', why);
    }
    const open = wanted.filter((address) => !isFencedBy(after, record, address));
    if (open.length === 0) return;
    const why = open.map((address) => `${address} (${obstacle(after, address)})`).join(', ');
    throw new BackendError(
      'NOT_FENCED',
      'not-applied',
      `Backend ${link.backend} does not fence ${why} for fence ${record.id}`,
    );
  });
  return true;
}

/** Enables the drop rule where that is enough, else adds one at the top of the table. */
async function restoreDropRule(link: FenceLink, before: readonly RawRule[], run: Run): Promise<void> {
  let rules = before;
  if (rules.some((rule) => rule.disabled && isDropRule(rule))) {
    await run('restore drop rule', enableDropRuleStatement());
    rules = (await readFences(link)).rules;
    if (fenceGuard(rules, link.exportPorts).kind === 'enforced') return;
  }
  await run('restore drop rule', removeRestoredRulesStatement());
  await run('restore drop rule', restoreDropRuleStatement(link.exportPorts, rules.length === 0));
}

async function cutOff(
  address: string,
  comment: string,
  record: FenceRecord,
  before: readonly FenceEntry[],
  run: Run,
): Promise<void> {
  const own = before.filter((entry) => entry.address === address && isOurs(entry, record));
  const permanent = own.find(({ dynamic }) => !dynamic);
  if (permanent) {
    await run('add fence', restampFenceStatement(address, permanent.comment, comment));
    return;
  }
  // An expiring entry beside a permanent one is possible; where it is not, it has to go first.
  const added = await tryToAdd(address, comment, run);
  if (added) return;
  for (const expiring of own) await run('remove fence', removeFenceStatement(address, expiring.comment));
  if (own.length > 0) await tryToAdd(address, comment, run);
}

/** @returns `false`: there is an entry for the address; the read-back shows whose. */
async function tryToAdd(address: string, comment: string, run: Run): Promise<boolean> {
  try {
    await run('add fence', addFenceStatement(address, comment));
    return true;
  } catch (err) {
    if (!isDuplicate(err)) throw err;
    return false;
  }
}

/** Ours to change: of the same cluster and owner as far as both are known. */
function isOurs({ comment }: FenceEntry, record: FenceRecord): boolean {
  const held = parseFenceComment(comment);
  if (!held) return false;
  return !differ(held.clusterId, record.clusterId) && !differ(held.owner, record.owner);
}

function differ(a: string | undefined, b: string | undefined): boolean {
  return a !== undefined && b !== undefined && a !== b;
}

/**
 * Removes every entry of this fence, whatever its state, and no other; reads it back.
 * @returns whether there was any
 * @throws {BackendError} STILL_FENCED when the read-back still shows one
 */
export async function unfenceEntries(connect: () => Promise<FenceLink>, fence: Fence): Promise<boolean> {
  const link = await connect();
  const entries = entriesOf((await readFences(link)).entries, fence);
  if (entries.length === 0) return false;
  await change(link, async (run) => {
    for (const { address, comment } of entries) {
      await run('remove fence', removeFenceStatement(address, comment));
    }
    const left = entriesOf((await readFences(link)).entries, fence).map(({ address }) => address);
    if (left.length === 0) return;
    throw new BackendError(
      'STILL_FENCED',
      'not-applied',
      `Backend ${link.backend} still fences ${left.join(', ')} for ${fence.id}`,
    );
  });
  return true;
}

type Run = (name: CommandName, statement: Statement) => Promise<void>;

/** Once one command took effect, a later failure no longer leaves the backend as it was. */
async function change(
  { client, session, signal }: FenceLink,
  work: (run: Run) => Promise<void>,
): Promise<void> {
  let changed = false;
  try {
    await work(async (name, statement) => {
      await client.run(session, name, [statement], signal, () => undefined);
      changed = true;
    });
  } catch (cause) {
    if (!changed || !(cause instanceof BackendError) || cause.outcome === 'unknown') throw cause;
    throw new BackendError(cause.code, 'unknown', cause.detail, { cause });
  }
}

interface FenceReading {
  readonly entries: readonly FenceEntry[];
  readonly rules: readonly RawRule[];
}

async function readFences({ client, session, dialect, signal }: FenceLink): Promise<FenceReading> {
  const { value } = await client.run(session, 'read fences', fenceStatements(dialect), signal, (reply) => ({
    entries: parseFenceEntries(reply.get('fences') ?? []).rows,
    rules: parseRawRules(reply.get('raw') ?? []).rows,
  }));
  return value;
}

function entriesOf(entries: readonly FenceEntry[], { id }: FenceRecord): readonly FenceEntry[] {
  return entries.filter(({ comment }) => parseFenceComment(comment)?.id === id);
}

function isFencedBy(entries: readonly FenceEntry[], record: FenceRecord, address: string): boolean {
  return entriesOf(entries, record).some((entry) => entry.address === address && isInForce(entry));
}

function isDuplicate(err: unknown): boolean {
  return (
    err instanceof BackendError && err.code === 'REFUSED' && err.detail.includes('already have such entry')
  );
}

function obstacle(entries: readonly FenceEntry[], address: string): string {
  const found = entries.find((entry) => entry.address === address);
  if (!found) return 'no entry';
  const state = found.disabled ? 'disabled' : found.dynamic ? 'dynamic' : 'foreign';
  return `${state} entry with comment ${JSON.stringify(found.comment.slice(0, 100))}`;
}

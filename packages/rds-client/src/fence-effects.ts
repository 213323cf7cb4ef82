import type { Fence, FenceRecord } from '@reattach/core';
import { BackendError, type SshSession } from '@reattach/ssh-transport';
import { formatFenceComment } from './fence-comment.ts';
import { isInForce, ownEntries } from './fences.ts';
import { type CommandName, type RouterOsClient, valueOf } from './router-os-client.ts';
import {
  addFenceStatement,
  fenceStatements,
  removeFenceStatement,
  type Statement,
} from './routeros/queries.ts';
import { parseFenceEntries } from './routeros/rows.ts';
import { addressValue } from './routeros/values.ts';
import type { Dialect, FenceEntry } from './snapshot.ts';

/** A connection over which the fence list may be changed. */
export interface FenceLink {
  readonly backend: string;
  readonly client: RouterOsClient;
  readonly session: SshSession;
  readonly dialect: Dialect;
  readonly signal: AbortSignal;
}

/**
 * Puts `addresses` on the fence list and reads it back. Addresses with an entry of this fence in force keep it.
 * @param connect called after the values were checked
 * @returns whether anything had to be added
 * @throws {BackendError} INVALID_VALUE before anything is sent; NOT_FENCED when the read-back shows otherwise, for instance
 * since a disabled, dynamic or foreign entry stands in the way; `not-applied` only while surely nothing was added
 */
export async function fenceAddresses(
  connect: () => Promise<FenceLink>,
  fence: FenceRecord,
  addresses: readonly string[],
): Promise<boolean> {
  const comment = formatFenceComment(fence);
  const wanted = [...new Set(addresses.map(addressValue))];
  if (wanted.length === 0) {
    throw new BackendError(
      'INVALID_VALUE',
      'not-applied',
      `Fence ${fence.id} of node ${fence.nodeName} has no address`,
    );
  }
  const link = await connect();
  const before = await readEntries(link);
  const missing = wanted.filter((address) => !isFencedBy(before, fence, address));
  if (missing.length === 0) return false;
  await change(link, async (run) => {
    for (const address of missing) {
      try {
        await run('add fence', addFenceStatement(address, comment));
      } catch (err) {
        if (!isDuplicate(err)) throw err; // the read-back tells what it is a duplicate of
      }
    }
    const after = await readEntries(link);
    const open = wanted.filter((address) => !isFencedBy(after, fence, address));
    if (open.length === 0) return;
    const why = open.map((address) => `${address} (${obstacle(after, address)})`).join(', ');
    throw new BackendError(
      'NOT_FENCED',
      'not-applied',
      `Backend ${link.backend} does not fence ${why} for fence ${fence.id}`,
    );
  });
  return true;
}

/**
 * Removes every entry of this fence, whatever its state, and no other; reads it back.
 * @returns whether there was any
 * @throws {BackendError} STILL_FENCED when the read-back still shows one
 */
export async function unfenceEntries(connect: () => Promise<FenceLink>, fence: Fence): Promise<boolean> {
  const link = await connect();
  const entries = entriesOf(await readEntries(link), fence);
  if (entries.length === 0) return false;
  await change(link, async (run) => {
    for (const { address, comment } of entries) {
      await run('remove fence', removeFenceStatement(address, comment));
    }
    const left = entriesOf(await readEntries(link), fence).map(({ address }) => address);
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

async function readEntries({ client, session, dialect, signal }: FenceLink): Promise<readonly FenceEntry[]> {
  const { value } = await client.run(session, 'read fences', fenceStatements(dialect), signal, (reply) =>
    valueOf(parseFenceEntries(reply.get('fences') ?? [])),
  );
  return value;
}

function entriesOf(entries: readonly FenceEntry[], { id }: FenceRecord): readonly FenceEntry[] {
  return ownEntries(entries)
    .filter(({ fence }) => fence.id === id)
    .map(({ entry }) => entry);
}

function isFencedBy(entries: readonly FenceEntry[], fence: FenceRecord, address: string): boolean {
  return entriesOf(entries, fence).some((entry) => entry.address === address && isInForce(entry));
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

import type { AuditKind, AuditRecord } from '@reattach/status-page';
import { AuditFile } from '../audit/audit-file.ts';
import { MAX_RECORDS } from '../audit/audit-log.ts';
import { CliError, usageError } from './cli-error.ts';
import type { CliIo } from './cli-io.ts';
import { type Call, type Command, OUTPUT_FLAG, SERVER_FLAG } from './command.ts';
import { formatTime } from './duration.ts';
import { print } from './print.ts';
import { readAuditFile } from './read-config.ts';
import { localServer, namedServer } from './server-client.ts';
import type { Style } from './style.ts';
import { type Cell, formatTable } from './table.ts';

const DEFAULT_LIMIT = 20;

export const historyCommand: Command = {
  name: 'history',
  args: [],
  summary: 'What was done, newest last: from the running controller, else from `audit.file`.',
  flags: [
    {
      name: '--limit',
      value: 'number',
      description: `How many at most, 1 to ${MAX_RECORDS}. Default ${DEFAULT_LIMIT}.`,
    },
    OUTPUT_FLAG,
    SERVER_FLAG,
  ],
  async run(call, io) {
    const records = await readHistory(call, io, limitOf(call));
    return print(call, io, { records }, (style) => historyText(records, style));
  },
};

async function readHistory(call: Call, io: CliIo, limit: number): Promise<readonly AuditRecord[]> {
  const named = namedServer(call, io);
  if (named) return named.history(limit);
  try {
    return await localServer(call, io).history(limit);
  } catch (err) {
    if (!(err instanceof CliError)) throw err;
    const path = readAuditFile(call, io);
    if (path === undefined)
      throw new CliError(`${err.message}, and no audit.file is configured to read instead`);
    return new AuditFile(path, Number.MAX_SAFE_INTEGER).last(limit);
  }
}

function limitOf({ flags }: Call): number {
  const given = flags.get('--limit') ?? DEFAULT_LIMIT;
  const limit = Number(given);
  if (Number.isInteger(limit) && limit >= 1 && limit <= MAX_RECORDS) return limit;
  throw usageError(
    `Expected a whole number from 1 to ${MAX_RECORDS} after --limit, got ${JSON.stringify(given)}`,
  );
}

const WHAT: { readonly [K in AuditKind]: string } = {
  fenced: 'fenced',
  'pod-deleted': 'deleted pod',
  released: 'released',
  untainted: 'untainted',
  unfenced: 'unfenced',
};

/** One line each. */
export function historyText(records: readonly AuditRecord[], style: Style): string {
  if (records.length === 0) return 'Nothing was done yet\n';
  const rows = records.map((record): Cell[] => [
    { text: formatTime(record.atMs) },
    { text: WHAT[record.kind] },
    { text: objectOf(record) },
    { text: record.node },
    { text: record.why },
  ]);
  return formatTable(['TIME', 'DONE', 'WHAT', 'NODE', 'WHY'], rows, style);
}

function objectOf({ claim, persistentVolume, pod, fence, backend, taint }: AuditRecord): string {
  if (claim) return `${claim.namespace}/${claim.name}`;
  if (persistentVolume !== undefined) return persistentVolume;
  if (pod) return `${pod.namespace}/${pod.name}`;
  if (taint !== undefined) return taint;
  return `fence ${fence?.id ?? ''}${backend === undefined ? '' : ` at ${backend}`}`;
}

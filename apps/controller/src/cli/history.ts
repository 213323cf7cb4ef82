import { loadKubeApi } from '@reattach/k8s-api';
import type { AuditKind, AuditRecord } from '@reattach/status-page';
import { AuditFile } from '../audit/audit-file.ts';
import { MAX_RECORDS } from '../audit/audit-outbox.ts';
import { SharedHistory } from '../audit/shared-history.ts';
import { CliError, usageError } from './cli-error.ts';
import type { CliIo } from './cli-io.ts';
import { type Call, type Command, OUTPUT_FLAG, SERVER_FLAG } from './command.ts';
import { formatTime } from './duration.ts';
import { filterRecords, NAMESPACE_FLAG, NODE_FLAG } from './filter.ts';
import { print } from './print.ts';
import { readAuditFile, readConfigOr } from './read-config.ts';
import { localServer, namedServer } from './server-client.ts';
import type { Style } from './style.ts';
import { type Cell, formatTable } from './table.ts';

const DEFAULT_LIMIT = 20;

export const historyCommand: Command = {
  name: 'history',
  args: [],
  summary: 'What was done, newest last: from the running controller, else from `audit.file` or the cluster.',
  flags: [
    {
      name: '--limit',
      value: 'number',
      description: `How many at most, 1 to ${MAX_RECORDS}. Default ${DEFAULT_LIMIT}.`,
    },
    NODE_FLAG,
    NAMESPACE_FLAG,
    OUTPUT_FLAG,
    SERVER_FLAG,
  ],
  async run(call, io) {
    const records = filterRecords(await readHistory(call, io, limitOf(call)), call);
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
    if (path !== undefined) return new AuditFile(path, Number.MAX_SAFE_INTEGER).last(limit);
    return readCluster(err.message, call, io, limit);
  }
}

/** The history in the cluster, which needs no running controller. */
async function readCluster(
  unanswered: string,
  { configArgv }: Call,
  io: CliIo,
  limit: number,
): Promise<readonly AuditRecord[]> {
  const { leaderElection, kubeconfigPaths, context, policy } = readConfigOr(unanswered, configArgv, io);
  if (!leaderElection) throw new CliError(`${unanswered}, and no audit.file is configured to read instead`);
  await using api = loadKubeApi({ kubeconfigPaths, context, clock: io.clock });
  const history = await new SharedHistory(api, leaderElection, policy.attacher).read(io.signal);
  return history.slice(-limit);
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
  'confirmed-off': 'confirmed off',
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

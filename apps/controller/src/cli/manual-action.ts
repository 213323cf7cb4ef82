import { hostname, userInfo } from 'node:os';
import type { ClusterEvent } from '@reattach/core';
import { KubeEventRecorder } from '@reattach/k8s-actions';
import type { AuditRecord } from '@reattach/status-page';
import { AuditFile } from '../audit/audit-file.ts';
import type { AuditPlace } from '../audit/audit-outbox.ts';
import { SharedHistory } from '../audit/shared-history.ts';
import { printable } from '../telemetry/printable.ts';
import type { CliIo } from './cli-io.ts';
import type { Call, CommandFlag } from './command.ts';
import { formatTime } from './duration.ts';
import type { StandaloneView } from './standalone-view.ts';

export const REASON_FLAG: CommandFlag = {
  name: '--reason',
  value: 'text',
  description: 'Why, for the audit record, the Event and the log.',
};

/** What a person did at one backend. */
export interface ManualAction {
  readonly kind: 'fenced' | 'unfenced' | 'confirmed-off';
  readonly node: string;
  readonly nodeUid?: string;
  readonly backend: string;
  readonly fence: NonNullable<AuditRecord['fence']>;
  /** What it rested on. */
  readonly why: string;
}

/**
 * Leaves an audit record, an Event on the Node and a log line with user, host and reason. What cannot be written is a warning: the
 * fence is at the backend already.
 */
export async function recordManual(
  actions: readonly ManualAction[],
  { flags }: Call,
  io: CliIo,
  { config, api }: StandaloneView,
): Promise<void> {
  const reason = flags.get('--reason');
  const by = {
    user: userName(io),
    host: hostname(),
    reason: typeof reason === 'string' ? reason : undefined,
  };
  const atMs = io.clock.now();
  const records = actions.map((action): AuditRecord => ({ ...action, atMs, by, reconcileID: 'manual' }));
  for (const record of records) io.stderr(`${logLine(record)}\n`);
  const { leaderElection, audit } = config;
  const places: readonly (AuditPlace | undefined)[] = [
    leaderElection && new SharedHistory(api, leaderElection, config.policy.attacher),
    audit && new AuditFile(audit.file, audit.maxBytes),
  ];
  for (const place of places.filter((each) => each !== undefined)) {
    try {
      await place.append(records);
    } catch (err) {
      io.stderr(
        `WARNING: not recorded in ${place.name}: ${printable(err instanceof Error ? err.message : String(err))}\n`,
      );
    }
  }
  if (!config.events) return;
  const { clock } = io;
  const recorder = new KubeEventRecorder({
    api,
    clock,
    reportingInstance: `${by.user}@${by.host}`,
    logger: warner(io),
  });
  for (const record of records) await recorder.record(eventOf(record), io.signal);
}

function eventOf(record: AuditRecord): ClusterEvent {
  const { node: name, nodeUid: uid, kind } = record;
  return {
    regarding: { kind: 'Node', namespace: '', name, uid },
    type: kind === 'unfenced' ? 'Normal' : 'Warning',
    reason: kind === 'fenced' ? 'NodeFenced' : kind === 'unfenced' ? 'NodeUnfenced' : 'NodeConfirmedOff',
    message: printable(manualWords(record), 1_000),
  };
}

/** `Cut node node-a off from storage backend east by hand (fence 1a2b3c4d), by admin at host: test of the fence`. */
function manualWords({ kind, node, backend, fence, by, why }: AuditRecord): string {
  const what =
    kind === 'fenced'
      ? `Cut node ${node} off from storage backend`
      : kind === 'unfenced'
        ? `Let node ${node} back to storage backend`
        : `Confirmed that node ${node} is off and has no write left at storage backend`;
  const reason = by?.reason === undefined ? '' : `: ${by.reason}`;
  return `${what} ${backend} by hand (fence ${fence?.id}), by ${by?.user} at ${by?.host}${reason}. ${why}`;
}

function logLine(record: AuditRecord): string {
  return printable(`${formatTime(record.atMs)} ${manualWords(record)}`, 1_000);
}

const ignore = () => undefined;

/** The recorder logs what it cannot write; here a person reads it. */
function warner(io: CliIo) {
  const warn = (message: string, fields?: Readonly<Record<string, unknown>>) => {
    const { err } = fields ?? {};
    io.stderr(`WARNING: ${message}${err instanceof Error ? `: ${printable(err.message)}` : ''}\n`);
  };
  return { debug: ignore, info: ignore, warn, error: warn };
}

/** The account at this machine; behind sudo the one that called it. A container's user may have no name. */
function userName({ env }: CliIo): string {
  try {
    return env['SUDO_USER'] ?? userInfo().username;
  } catch {
    return env['USER'] ?? String(process.getuid?.() ?? 'unknown');
  }
}

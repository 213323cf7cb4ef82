import type { Mode } from '@reattach/core';
import type { StateReport } from '@reattach/status-page';
import { type AttachmentChoice, buildStateReport } from '../state/build-state-report.ts';
import { printableDeep } from '../telemetry/printable.ts';
import { VERSION } from '../version.ts';
import { CliError } from './cli-error.ts';
import type { CliIo } from './cli-io.ts';
import type { Call } from './command.ts';
import { readConfigOr } from './read-config.ts';
import { localServer, namedServer } from './server-client.ts';
import { StandaloneView } from './standalone-view.ts';

/** A report and how far it can be trusted. */
export interface ReadState {
  readonly report: StateReport;
  /** A controller answered; else cluster and backends were read once. */
  readonly isFromController: boolean;
  /** What a reader should know. */
  readonly notes: readonly string[];
}

/** @param leader its name, when it is known. */
function standbyNote(leader: string | undefined): string {
  return `This replica is a standby. It does not query the backends about lost nodes, so its view is incomplete. Ask the leader${leader === undefined ? '' : `, ${leader}`}.`;
}

const ALONE =
  'Cluster and backends were read once instead. Which nodes were live before, and since when a deleted Node has been gone, is not known.';

/** From the running controller where there is one, else from cluster and backends themselves. */
export async function readState(
  call: Call,
  io: CliIo,
  choice: AttachmentChoice,
  mode?: Mode,
): Promise<ReadState> {
  const named = namedServer(call, io);
  if (named) return fromServer(await named.state(choice, mode));
  let unanswered: CliError;
  try {
    const local = localServer(call, io);
    const { report, notes } = fromServer(await local.state(choice, mode));
    const isSurprise = call.configArgv.length > 0; // flags may name another cluster than the controller's
    return {
      isFromController: true,
      report,
      notes: isSurprise ? [`Asked the controller at ${local.url}.`, ...notes] : notes,
    };
  } catch (err) {
    if (!(err instanceof CliError)) throw err;
    unanswered = err;
  }
  const config = readConfigOr(unanswered.message, call.configArgv, io);
  await using standalone = await StandaloneView.open(config, io.clock, io.signal);
  const preview = await standalone.read();
  const { policy } = config;
  const context = {
    version: VERSION,
    policy,
    identity: '',
    leading: true,
    ...config.page,
    backends: standalone.backends,
    podsOnNode: (name: string) => standalone.caches.podsOnNode(name),
  };
  const report = printableDeep(buildStateReport(preview, choice, context));
  return { isFromController: false, report, notes: [`No controller found. ${unanswered.message}.`, ALONE] };
}

function fromServer(report: StateReport): ReadState {
  return { isFromController: true, report, notes: report.leading ? [] : [standbyNote(report.leader)] };
}

import type { StateReport } from '@reattach/status-page';
import { ConfigError } from '../config/config-error.ts';
import { EXIT } from '../exit-code.ts';
import { type AttachmentChoice, buildStateReport } from '../state/build-state-report.ts';
import { VERSION } from '../version.ts';
import { CliError } from './cli-error.ts';
import type { CliIo } from './cli-io.ts';
import type { Call } from './command.ts';
import { readConfig } from './read-config.ts';
import { localServer, namedServer } from './server-client.ts';
import { StandaloneView } from './standalone-view.ts';

/** A report and how far it can be trusted. */
export interface ReadState {
  readonly report: StateReport;
  /** What whoever reads it should know. */
  readonly notes: readonly string[];
}

const STANDBY =
  'This replica does not lead: it asks the backends about nobody, so it knows less than the leader.';
const ALONE =
  'So cluster and backends were asked: nobody remembers which nodes were live before, or since when a Node has been gone.';

/** From the running controller where there is one, else from cluster and backends themselves. */
export async function readState(call: Call, io: CliIo, choice: AttachmentChoice): Promise<ReadState> {
  const named = namedServer(call, io);
  if (named) return fromServer(await named.state(choice));
  let unanswered: CliError;
  try {
    const local = localServer(call, io);
    const { report, notes } = fromServer(await local.state(choice));
    const isSurprise = call.configArgv.length > 0; // flags may name another cluster than the controller's
    return { report, notes: isSurprise ? [`Asked the controller at ${local.url}.`, ...notes] : notes };
  } catch (err) {
    if (!(err instanceof CliError)) throw err;
    unanswered = err;
  }
  const config = configOr(unanswered, call, io);
  await using shot = await StandaloneView.open(config, io.clock, io.signal);
  const preview = await shot.look();
  const { policy } = config;
  const context = { version: VERSION, policy, identity: '', leading: true, backends: shot.backends };
  return { report: buildStateReport(preview, choice, context), notes: [`${unanswered.message}.`, ALONE] };
}

function fromServer(report: StateReport): ReadState {
  return { report, notes: report.leading ? [] : [STANDBY] };
}

/** Whoever meant to ask a controller should hear that none answered, not that a key is missing. */
function configOr(unanswered: CliError, { configArgv }: Call, io: CliIo) {
  try {
    return readConfig(configArgv, io);
  } catch (err) {
    if (!(err instanceof ConfigError)) throw err;
    throw new CliError(
      `${unanswered.message}\nWithout one the configuration is needed (or name one with --server):\n${err.message}`,
      EXIT.usage,
    );
  }
}

import { helpCommand, versionCommand } from './about.ts';
import type { Command } from './command.ts';
import { completionCommand } from './completion.ts';
import { confirmOffCommand } from './confirm-off.ts';
import { doctorCommand } from './doctor.ts';
import { eventsCommand } from './events.ts';
import { explainCommand } from './explain.ts';
import { fenceCommand } from './fence.ts';
import { helpText } from './help-text.ts';
import { historyCommand } from './history.ts';
import { planCommand } from './plan.ts';
import { reconcileCommand } from './reconcile.ts';
import { statusCommand } from './status.ts';
import { supportBundleCommand } from './support-bundle.ts';
import { unfenceCommand } from './unfence.ts';

/** Every command but `run`, which is the controller itself. Help, README and completion are made from this. */
export const COMMANDS: readonly Command[] = [
  statusCommand,
  explainCommand,
  planCommand,
  reconcileCommand,
  historyCommand,
  eventsCommand,
  fenceCommand,
  unfenceCommand,
  confirmOffCommand,
  doctorCommand,
  supportBundleCommand,
  completionCommand(() => COMMANDS),
  helpCommand(() => COMMANDS, helpText),
  versionCommand,
];

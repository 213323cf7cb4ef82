import { delay } from '@reattach/core';
import type { ExitCode } from '../exit-code.ts';
import { CliError } from './cli-error.ts';
import type { CliIo } from './cli-io.ts';
import type { Call, CommandFlag } from './command.ts';

/** Pause between two runs, ms. */
const PAUSE_MS = 2_000;

export const WATCH_FLAG: CommandFlag = {
  name: '--watch',
  short: '-w',
  description: 'Print it again every 2 s until interrupted.',
};

/** Runs `once`, with `--watch` again and again until an interrupt. A failure is printed and does not end the watch. */
export async function watched(call: Call, io: CliIo, once: () => Promise<ExitCode>): Promise<ExitCode> {
  if (!call.flags.has('--watch')) return await once();
  for (;;) {
    io.clear?.();
    try {
      await once();
    } catch (err) {
      if (!(err instanceof CliError)) throw err;
      io.stderr(`${err.message}\n`);
    }
    await delay(io.clock, PAUSE_MS, io.signal);
  }
}

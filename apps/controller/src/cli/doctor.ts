import { formatChecks } from '../doctor/format-checks.ts';
import { probeScript } from '../doctor/probe-script.ts';
import { runDoctor } from '../doctor/run-doctor.ts';
import { EXIT } from '../exit-code.ts';
import { type Command, OUTPUT_FLAG } from './command.ts';
import { print } from './print.ts';
import { readConfig } from './read-config.ts';

export const doctorCommand: Command = {
  name: 'doctor',
  args: [],
  summary: 'Check cluster, permissions and backend, and print a fix for each problem. Changes nothing.',
  flags: [
    {
      name: '--probe',
      description: 'Print a script instead whose output settles what is not documented about the backend.',
    },
    { name: '--json', description: 'The same as `--output json`.' },
    OUTPUT_FLAG,
  ],
  async run(call, io) {
    const config = readConfig(call.configArgv, io);
    if (call.flags.has('--probe')) {
      io.stdout(probeScript(config.backends));
      return EXIT.ok;
    }
    const checks = await runDoctor(config, io.clock, io.signal);
    const flags = call.flags.has('--json')
      ? new Map([...call.flags, ['--output', 'json'] as const])
      : call.flags;
    print({ ...call, flags }, io, checks, (style) => formatChecks(checks, style));
    return checks.some(({ state }) => state === 'failed') ? EXIT.failed : EXIT.ok;
  },
};

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
  summary:
    'Check cluster, permissions and backends for the mode, and print a fix for each problem. Changes nothing without `--probe`.',
  flags: [
    {
      name: '--probe',
      description:
        'Also prove the write permission: add an entry that cuts nothing (192.0.2.1) at each backend, and remove it.',
    },
    {
      name: '--print-probes',
      description: 'Print a script instead whose output settles what is not documented about the backend.',
    },
    { name: '--json', description: 'The same as `--output json`.' },
    OUTPUT_FLAG,
  ],
  async run(call, io) {
    const config = readConfig(call.configArgv, io);
    if (call.flags.has('--print-probes')) {
      io.stdout(probeScript(config.backends));
      return EXIT.ok;
    }
    const { clock, signal } = io;
    const checks = await runDoctor(config, { clock, signal, probe: call.flags.has('--probe') });
    const flags = call.flags.has('--json')
      ? new Map([...call.flags, ['--output', 'json'] as const])
      : call.flags;
    print({ ...call, flags }, io, checks, (style) => formatChecks(checks, style));
    return checks.some(({ state }) => state === 'failed') ? EXIT.failed : EXIT.ok;
  },
};

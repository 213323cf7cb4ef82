import { parseArgs } from 'node:util';
import type { BackendKind } from '@reattach/sim-world';
import { playScenario } from './play-scenario.ts';
import { jsonReporter, textReporter } from './reporter.ts';
import { SCENARIOS } from './scenarios/index.ts';

const BACKENDS: Readonly<Record<string, BackendKind>> = { rds: 'rds', linux: 'linux-nvmet' };

const NAMES = SCENARIOS.map(({ name }) => name);

const NAME_WIDTH = Math.max(...NAMES.map((name) => name.length));

const USAGE = `Usage: pnpm demo [--scenario NAME] [--backend rds|linux] [--json]

${SCENARIOS.map(({ name, title }) => `  ${name.padEnd(NAME_WIDTH)} ${title}`).join('\n')}

  --scenario NAME  default ${NAMES[0]}
  --backend NAME   rds (default) or linux: a MikroTik ROSE Data Server or a Linux NVMe/TCP target
  --json           one JSON object per event, a summary last

Exit codes: 0 the scenario ended as it must; 1 it did not; 2 bad arguments.
`;

function readArguments(args: readonly string[]) {
  const { values } = parseArgs({
    args: [...args],
    options: {
      scenario: { type: 'string', default: NAMES[0] ?? '' },
      backend: { type: 'string', default: 'rds' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  return values;
}

function write(text: string): void {
  process.stdout.write(text);
}

async function main(args: readonly string[]): Promise<number> {
  let values: ReturnType<typeof readArguments>;
  try {
    values = readArguments(args);
  } catch (err) {
    process.stderr.write(`${err instanceof Error ? err.message : String(err)}\n\n${USAGE}`);
    return 2;
  }
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const scenario = SCENARIOS.find(({ name }) => name === values.scenario);
  if (!scenario) {
    process.stderr.write(`--scenario: got "${values.scenario}", expected one of ${NAMES.join(', ')}\n`);
    return 2;
  }
  const backend = BACKENDS[values.backend];
  if (!backend) {
    process.stderr.write(
      `--backend: got "${values.backend}", expected one of ${Object.keys(BACKENDS).join(', ')}\n`,
    );
    return 2;
  }
  const colours = process.stdout.isTTY && !process.env['NO_COLOR'];
  const reporter = values.json ? jsonReporter(write) : textReporter(write, colours);
  const { ok } = await playScenario(scenario, backend, reporter);
  return ok ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));

import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { installHostPackages } from './machines/debian-packages.ts';
import { proveForcedCommand } from './scenarios/forced-command.ts';
import { SCENARIOS } from './scenarios/index.ts';
import { runScenario } from './scenarios/run-scenario.ts';
import { BACKENDS } from './world/lab-backend.ts';
import { Story } from './world/story.ts';

const NAMES = [...SCENARIOS.map(({ name }) => name), 'forced-command'];

const USAGE = `Usage: pnpm lab [--scenario NAME] [--backend linux|rds] [--json]

${SCENARIOS.map(({ name, title }) => `  ${name.padEnd(18)} ${title}`).join('\n')}
  ${'forced-command'.padEnd(18)} the forced command on a real target, without a controller

  --scenario NAME  default ${NAMES[0]}
  --backend KIND   linux (default): the forced command; rds: RouterOS commands answered from the same kernel
  --json           one JSON object per event, a summary last

Exit codes: 0 the scenario ended as it must, or the lab cannot run here; 1 it did not; 2 bad arguments.
`;

/** Why the lab cannot run on this machine; `undefined` when it can. */
function whyNot(): string | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'it needs Linux on x86-64';
  if (process.getuid?.() !== 0) return 'it needs root, for its network namespace';
  if (spawnSync('sh', ['-c', 'command -v apt-get']).status !== 0)
    return 'it takes kernel and tools from Debian packages, and there is no apt-get';
  if (spawnSync('unshare', ['-n', 'true']).status !== 0) return 'it cannot create a network namespace';
  return undefined;
}

async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      scenario: { type: 'string', default: NAMES[0] ?? '' },
      backend: { type: 'string', default: 'linux' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
      // Set by the lab itself for the process in its network namespace.
      inside: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  if (!NAMES.includes(values.scenario)) {
    process.stderr.write(`--scenario: got "${values.scenario}", expected one of ${NAMES.join(', ')}\n`);
    return 2;
  }
  const backend = BACKENDS.find((kind) => kind === values.backend);
  if (!backend) {
    process.stderr.write(`--backend: got "${values.backend}", expected one of ${BACKENDS.join(', ')}\n`);
    return 2;
  }
  if (!values.inside) return outside(args);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  const story = new Story((line) => void process.stdout.write(`${line}\n`), values.json);
  const scenario = SCENARIOS.find(({ name }) => name === values.scenario);
  const summary = scenario ? await runScenario(scenario, backend, story) : await proveForcedCommand(story);
  return summary.ok ? 0 : 1;
}

/** Installs what is missing and runs the lab in a network namespace, which ends with it. */
async function outside(args: readonly string[]): Promise<number> {
  const why = whyNot();
  if (why !== undefined) {
    process.stdout.write(`Skipped the kernel lab: ${why}\n`);
    return 0;
  }
  const installed = await installHostPackages();
  if (installed.length > 0) process.stderr.write(`Installed ${installed.join(', ')}\n`);
  const command = [process.execPath, '--conditions=source', import.meta.filename, '--inside', ...args];
  const namespace = ['--pdeathsig', 'TERM', 'unshare', '--net', '--', ...command];
  const { status } = spawnSync('setpriv', namespace, { stdio: 'inherit' });
  return status ?? 1;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (err) {
  process.stderr.write(`${err instanceof Error ? err.message : String(err)}\n\n${USAGE}`);
  process.exitCode = 2;
}

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { parse } from 'yaml';
import { mergeValues, renderChart, type Values } from './chart/render-chart.ts';

/** `pnpm render-chart`: deploy/chart as manifests, for those without Helm. */

const HELP = `Usage: pnpm --silent render-chart [-n NAMESPACE] [--name NAME] [-f VALUES.yaml]...

  -n, --namespace  where it is installed; default: reattach
  --name           name of the release; default: reattach
  -f, --values     values over those of deploy/chart/values.yaml; later files win; - is standard input
`;

const { values: flags } = parseArgs({
  options: {
    namespace: { type: 'string', short: 'n', default: 'reattach' },
    name: { type: 'string', default: 'reattach' },
    values: { type: 'string', short: 'f', multiple: true, default: [] },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

if (flags.help) process.stdout.write(HELP);
else {
  const { namespace, name } = flags;
  const files = flags.values.map(
    (path) => (parse(readFileSync(path === '-' ? 0 : path, 'utf8')) ?? {}) as Values,
  );
  const values = files.reduce(mergeValues, {});
  try {
    process.stdout.write(renderChart({ values, namespace, name }));
  } catch (err) {
    process.stderr.write(`${err instanceof Error ? err.message : String(err)}\n`);
    process.exitCode = 1;
  }
}

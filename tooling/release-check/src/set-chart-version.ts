import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/** Gives the chart the version of the controller: `pnpm version-packages` runs it after changesets. */
const root = new URL('../../../', import.meta.url);
const chart = fileURLToPath(new URL('deploy/chart/Chart.yaml', root));
const { version } = JSON.parse(await readFile(new URL('apps/controller/package.json', root), 'utf8')) as {
  version: string;
};
const text = await readFile(chart, 'utf8');
await writeFile(
  chart,
  text
    .replace(/^version: .*$/m, `version: ${version}`)
    .replace(/^appVersion: .*$/m, `appVersion: "${version}"`),
);

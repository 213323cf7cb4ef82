import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { buildPage } from '@reattach/status-page/build';
import { build } from 'esbuild';
import { licencesOf } from './licences.mjs';
import { packagesOf, sbomOf } from './sbom.mjs';

// ssh2 and its like are CommonJS: they ask for `require` and `__dirname` at run time.
const commonJsGlobals = [
  "import { createRequire as __createRequire } from 'node:module';",
  "import { dirname as __dirnameOf } from 'node:path';",
  "import { fileURLToPath as __fileURLToPath } from 'node:url';",
  'const require = __createRequire(import.meta.url);',
  'const __filename = __fileURLToPath(import.meta.url);',
  'const __dirname = __dirnameOf(__filename);',
].join(' ');

const { metafile } = await build({
  entryPoints: ['src/main.ts'],
  bundle: true,
  minifyWhitespace: true,
  minifySyntax: true,
  keepNames: true, // constructor names reach logs and metrics
  platform: 'node',
  target: 'node24',
  format: 'esm',
  outfile: 'dist/main.mjs', // .mjs: without a package.json beside it, Node would parse a .js file twice
  sourcemap: true,
  conditions: ['source'],
  mainFields: ['module', 'main'],
  external: ['cpu-features', './crypto/build/Release/sshcrypto.node'],
  legalComments: 'linked',
  define: { BUNDLED_PAGE: JSON.stringify(await buildPage()) },
  banner: { js: commonJsGlobals },
  metafile: true,
});
await copyFile('reattach.mjs', 'dist/reattach.mjs'); // says what is wrong when Node is too old
const packages = await packagesOf(metafile);
await writeFile('dist/sbom.cdx.json', `${JSON.stringify(sbomOf(packages), undefined, 2)}\n`);
await writeFile('dist/licences.txt', await licencesOf(packages, await readFile('LICENSE', 'utf8')));

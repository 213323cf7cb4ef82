import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packPackages } from './packed-package.ts';
import { consumers } from './steps/consumers.ts';
import { examples } from './steps/examples.ts';
import { licences } from './steps/licences.ts';
import { metadata } from './steps/metadata.ts';
import { attwStep, publintStep } from './steps/package-linters.ts';
import { sourceMaps } from './steps/source-maps.ts';
import { changelogs, majors } from './steps/versions.ts';

const STEPS = [
  metadata,
  sourceMaps,
  publintStep,
  attwStep,
  licences,
  majors,
  changelogs,
  consumers,
  examples,
];
const root = fileURLToPath(new URL('../../../', import.meta.url));

/** Packs once, then runs every step, also after one that failed. @returns the exit code. */
async function main(): Promise<number> {
  const scratch = await mkdtemp(join(tmpdir(), 'release-check-'));
  let failed = 0;
  try {
    const target = join(scratch, 'packed');
    await mkdir(target);
    const packages = await packPackages(root, target);
    process.stdout.write(`ok      pack: ${packages.map(({ manifest }) => manifest.name).join(', ')}\n`);
    for (const step of STEPS) {
      try {
        process.stdout.write(`ok      ${step.name}: ${await step.run({ root, scratch, packages })}\n`);
      } catch (err) {
        failed++;
        process.stdout.write(`FAILED  ${step.name}\n${err instanceof Error ? err.message : String(err)}\n`);
      }
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  process.stdout.write(`${STEPS.length + 1 - failed} passed, ${failed} failed\n`);
  return failed === 0 ? 0 : 1;
}

process.exitCode = await main();

import { execFile } from 'node:child_process';
import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * Builds the controller from what `turbo prune` leaves of the last commit, as deploy/Dockerfile does.
 * @param root of the repository, with its packages installed: turbo and pnpm come from there
 * @returns the folder of the app
 */
export async function buildApp(root: string, scratch: string): Promise<string> {
  const source = join(scratch, 'source');
  const build = join(scratch, 'build');
  const bin = (name: string) => join(root, 'node_modules/.bin', name);
  const env = { ...process.env, CI: 'true', TURBO_TELEMETRY_DISABLED: '1' };
  await mkdir(build, { recursive: true });
  await run('git', ['clone', '--quiet', '--no-hardlinks', root, source]);
  await run(bin('turbo'), ['prune', '@reattach/controller', '--docker'], { cwd: source, env });
  await cp(join(source, 'out/json'), build, { recursive: true });
  await run(bin('pnpm'), ['install', '--frozen-lockfile', '--prefer-offline'], {
    cwd: build,
    env,
    maxBuffer: 2 ** 26,
  });
  await cp(join(source, 'out/full'), build, { recursive: true });
  const app = join(build, 'apps/controller');
  await run(process.execPath, ['build.mjs'], { cwd: app, env });
  return app;
}

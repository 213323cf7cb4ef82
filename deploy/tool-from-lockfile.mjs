// Downloads tools of the image build as pnpm-lock.yaml has them, before any tool that could read the lockfile is there.
//   node deploy/tool-from-lockfile.mjs FOLDER pnpm turbo
// Fails unless the package has the version and the hash of the lockfile. Needs npm and tar; runs on linux, x64 or arm64.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Packages of the native binaries, with the path of the binary in them. */
const TOOLS = {
  pnpm: { package: { x64: '@pnpm/exe.linux-x64', arm64: '@pnpm/exe.linux-arm64' }, path: 'pnpm' },
  turbo: { package: { x64: '@turbo/linux-64', arm64: '@turbo/linux-arm64' }, path: 'bin/turbo' },
};

const [folder, ...names] = process.argv.slice(2);
if (folder === undefined || names.length === 0)
  throw new TypeError(`Expected a folder and names of tools (${Object.keys(TOOLS).join(', ')})`);
const lockfile = readFileSync(new URL('../pnpm-lock.yaml', import.meta.url), 'utf8');
mkdirSync(folder, { recursive: true });
for (const name of names) fetchTool(name);

/** @param {string} name */
function fetchTool(name) {
  const tool = TOOLS[name];
  const packageName = tool?.package[process.arch];
  if (packageName === undefined)
    throw new TypeError(
      `Expected one of ${Object.keys(TOOLS)} on x64 or arm64, got ${name} on ${process.arch}`,
    );
  const { version, integrity } = lockedPackage(packageName);
  const scratch = mkdtempSync(join(tmpdir(), 'tool-'));
  try {
    const packed = execFileSync('npm', ['pack', '--silent', `${packageName}@${version}`], { cwd: scratch });
    const archive = join(scratch, packed.toString().trim());
    const found = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`;
    if (found !== integrity)
      throw new Error(
        `${packageName}@${version} has integrity ${found}, pnpm-lock.yaml expects ${integrity}`,
      );
    execFileSync('tar', ['-xzf', archive, '--strip-components=1'], { cwd: scratch });
    const target = join(folder, name);
    copyFileSync(join(scratch, tool.path), target);
    chmodSync(target, 0o755);
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

/** @param {string} packageName */
function lockedPackage(packageName) {
  const escaped = packageName.replaceAll('.', '\\.');
  const entry = new RegExp(
    `^ {2}'${escaped}@([^']+)':\n {4}resolution: \\{integrity: (sha512-[^}]+)\\}`,
    'm',
  );
  const [, version, integrity] = entry.exec(lockfile) ?? [];
  if (version === undefined) throw new Error(`pnpm-lock.yaml has no ${packageName}`);
  return { version, integrity };
}

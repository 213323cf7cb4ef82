import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** What the lab runs on the machine itself; installed with apt-get when missing. */
const HOST_PACKAGES: Readonly<Record<string, string>> = {
  'qemu-system-x86_64': 'qemu-system-x86',
  nft: 'nftables',
  ip: 'iproute2',
  mke2fs: 'e2fsprogs',
  'ssh-keygen': 'openssh-client',
  xz: 'xz-utils',
};

/** What the guests run. Dependencies come from apt. */
const GUEST_PACKAGES = [
  'busybox-static',
  'conntrack',
  'coreutils',
  'dash',
  'dmsetup',
  'findutils',
  'grep',
  'iproute2',
  'mawk',
  'nftables',
  'nvme-cli',
  'openssh-server',
  'sed',
  'sudo',
  'util-linux',
];

/** Dependencies of installation scripts, which the guests do not run. */
const LEFT_OUT =
  /^(perl|libperl|libgdbm|libdb5|debconf|dpkg|tar|gcc-\d|usrmerge|adduser|ucf|sensible|lsb-base|init-system|runit|lib(number|text|file)-)/;

/** Folders with unpacked packages. */
export interface Unpacked {
  /** Root file system of a guest. */
  readonly guest: string;
  /** Kernel image and modules. */
  readonly kernel: string;
}

/** Installs what the lab itself runs. @returns names of the packages that were installed */
export async function installHostPackages(): Promise<readonly string[]> {
  const missing: string[] = [];
  for (const [command, name] of Object.entries(HOST_PACKAGES)) {
    if (!(await exists(command))) missing.push(name);
  }
  if (missing.length === 0) return [];
  await run('apt-get', ['update'], { maxBuffer: 1 << 26 });
  await run('apt-get', ['install', '-y', '--no-install-recommends', ...missing], { maxBuffer: 1 << 26 });
  return missing;
}

/** Downloads and unpacks kernel and guest packages into `cache`, once. */
export async function unpackGuestPackages(cache: string): Promise<Unpacked> {
  const unpacked = { guest: join(cache, 'guest'), kernel: join(cache, 'kernel') };
  if (existsSync(unpacked.guest)) return unpacked;
  const debs = join(cache, 'debs');
  await mkdir(debs, { recursive: true });
  const names = [...(await closure(GUEST_PACKAGES)), await kernelPackage()];
  await run('apt-get', ['download', '-o', 'APT::Sandbox::User=root', ...names], {
    cwd: debs,
    maxBuffer: 1 << 26,
  });
  for (const file of await readdir(debs)) {
    const folder = file.startsWith('linux-image') ? unpacked.kernel : `${unpacked.guest}.new`;
    await run('dpkg', ['-x', join(debs, file), folder]);
  }
  await run('mv', [`${unpacked.guest}.new`, unpacked.guest]);
  return unpacked;
}

/** The packages and what they depend on, as if nothing were installed. */
async function closure(names: readonly string[]): Promise<readonly string[]> {
  const options = ['-o', 'Dir::State::status=/dev/null', 'install', '-s', '--no-install-recommends'];
  const { stdout } = await run('apt-get', [...options, ...names], { maxBuffer: 1 << 26 });
  return [...stdout.matchAll(/^Inst (\S+)/gm)].flatMap(([, name = '']) =>
    LEFT_OUT.test(name) ? [] : [name],
  );
}

/** `linux-image-amd64` depends on the package that has the kernel. */
async function kernelPackage(): Promise<string> {
  const { stdout } = await run('apt-cache', ['depends', 'linux-image-amd64']);
  const name = /Depends: (linux-image-\S+)/.exec(stdout)?.[1];
  if (name === undefined)
    throw new TypeError('apt-cache depends linux-image-amd64 names no kernel: run apt-get update');
  return name;
}

async function exists(command: string): Promise<boolean> {
  return run('sh', ['-c', `command -v ${command}`]).then(
    () => true,
    () => false,
  );
}

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Unpacked } from './debian-packages.ts';
import { unpackKernel } from './kernel-image.ts';
import { copyModules } from './kernel-modules.ts';

const run = promisify(execFile);
const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const GUEST_FILES = here('../guest');
const TARGET_FILES = here('../../../../deploy/linux-target');

/** Not needed by a guest, and large. */
const LEFT_OUT = [
  'usr/share',
  'usr/lib/locale',
  'usr/lib/x86_64-linux-gnu/gconv',
  'usr/lib/x86_64-linux-gnu/perl-base',
];

/** The guests have no password to check. */
const PERMIT = ['auth', 'account', 'password', 'session']
  .map((type) => `${type} required pam_permit.so\n`)
  .join('');

/** Links that packages make at their installation, and modprobe, which the kernel runs. */
const LINKS = { 'sbin/modprobe': '/bin/busybox', 'bin/hostname': '/bin/busybox', 'usr/bin/awk': 'mawk' };

/** Files that packages make at their installation. */
const TEXTS: Readonly<Record<string, string>> = {
  'etc/passwd': [
    'root:x:0:0:root:/root:/bin/sh',
    'sshd:x:100:65534::/run/sshd:/bin/false',
    'reattach:x:1000:1000::/home/reattach:/bin/sh',
    '',
  ].join('\n'),
  'etc/group': 'root:x:0:\nnogroup:x:65534:\nreattach:x:1000:\n',
  'etc/shadow': ['root', 'sshd', 'reattach'].map((user) => `${user}:*:19000:0:99999:7:::\n`).join(''),
  'etc/hosts': '127.0.0.1 localhost target\n',
  'etc/pam.d/sudo': PERMIT,
  'etc/pam.d/other': PERMIT,
  // What `systemctl enable` makes; guest/target does the work of the unit.
  'etc/systemd/system/sysinit.target.wants/reattach-target.service': '',
};

const FOLDERS = ['dev', 'proc', 'sys', 'run', 'tmp', 'root', 'home/reattach', 'lab/busybox', 'var/empty'];

/** What QEMU boots, and the keys that open the guests. */
export interface GuestImage {
  readonly kernel: string;
  readonly initrd: string;
  /** Path of the key that opens a root shell on every guest and, as user `reattach`, the forced command on the target. */
  readonly privateKey: string;
  /** Path of the public key of every guest's SSH server. */
  readonly hostPublicKey: string;
}

/** Builds the initramfs of all guests in `folder`: packages and modules, which `cache` keeps, then the lab's files and keys. */
export async function buildGuestImage(
  packages: Unpacked,
  cache: string,
  folder: string,
): Promise<GuestImage> {
  const busybox = join(packages.guest, 'bin/busybox');
  const base = join(cache, 'base.cpio');
  if (!existsSync(base)) await buildBase(packages, busybox, base);
  const kernel = join(cache, 'vmlinux');
  if (!existsSync(kernel)) await unpackKernel(packages.kernel, kernel);
  const privateKey = await makeKey(join(folder, 'lab-key'));
  const hostKey = await makeKey(join(folder, 'host-key'));
  const root = join(folder, 'root');
  await addLabFiles(root, privateKey, hostKey);
  const own = join(folder, 'own.cpio');
  await archive(root, busybox, own);
  const initrd = join(folder, 'initrd.cpio'); // the kernel unpacks one archive after the other
  await run('sh', ['-c', 'cat "$1" "$2" >"$3"', 'sh', base, own, initrd]);
  return { kernel, initrd, privateKey, hostPublicKey: `${hostKey}.pub` };
}

async function buildBase({ guest, kernel }: Unpacked, busybox: string, base: string): Promise<void> {
  const root = `${base}.root`;
  await rm(root, { recursive: true, force: true });
  await run('cp', ['-a', guest, root]); // keeps the set-user-ID bit of sudo
  for (const path of LEFT_OUT) await rm(join(root, path), { recursive: true, force: true });
  await copyModules(kernel, root, busybox);
  for (const [name, target] of Object.entries(LINKS)) await symlink(target, join(root, name));
  await archive(root, busybox, base);
  await rm(root, { recursive: true, force: true });
}

async function archive(root: string, busybox: string, file: string): Promise<void> {
  const script = 'find . | "$1" cpio -o -H newc -R 0:0 >"$2.new"';
  await run('sh', ['-c', script, 'sh', busybox, file], { cwd: root });
  await rename(`${file}.new`, file);
}

async function makeKey(path: string): Promise<string> {
  await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'kernel-lab', '-f', path]);
  return path;
}

async function addLabFiles(root: string, privateKey: string, hostKey: string): Promise<void> {
  const install = async (from: string, to: string, mode: number) => {
    await mkdir(dirname(join(root, to)), { recursive: true });
    await copyFile(from, join(root, to));
    await chmod(join(root, to), mode);
  };
  for (const path of FOLDERS) await mkdir(join(root, path), { recursive: true });
  for (const name of ['target', 'host', 'sshd_config'])
    await install(join(GUEST_FILES, name), `lab/${name}`, 0o644);
  await install(join(GUEST_FILES, 'init'), 'init', 0o755);
  await install(join(GUEST_FILES, 'write-pattern'), 'usr/bin/write-pattern', 0o755);
  await install(join(TARGET_FILES, 'reattach-target'), 'usr/local/sbin/reattach-target', 0o755);
  await install(join(TARGET_FILES, 'reattach-target.sudoers'), 'etc/sudoers.d/reattach-target', 0o440);
  await install(hostKey, 'lab/host-key', 0o600);
  await install(`${privateKey}.pub`, 'lab/authorized-keys/root', 0o644);
  const forced = 'printf \'restrict,command="/usr/local/sbin/reattach-target" %s\\n\' "$(cat "$1")" >"$2"';
  await run('sh', ['-c', forced, 'sh', `${privateKey}.pub`, join(root, 'lab/authorized-keys/reattach')]);
  for (const [path, text] of Object.entries(TEXTS)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
}

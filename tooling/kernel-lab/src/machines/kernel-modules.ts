import { execFile } from 'node:child_process';
import { copyFile, mkdir, readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Modules a guest may load; what they depend on is added. */
const MODULES = [
  'virtio_pci',
  'virtio_net',
  'virtio_blk',
  'ext4',
  'crc32c_generic',
  'configfs',
  'tcp_diag',
  'inet_diag',
  'nvmet',
  'nvmet-tcp',
  'nvme-core',
  'nvme-fabrics',
  'nvme-tcp',
  'nf_tables',
  'nft_ct',
  'nf_conntrack',
  'nf_conntrack_netlink',
  'dm-mod',
  'dm-delay',
];

/** Copies the modules and their dependencies from an unpacked kernel package and indexes them for modprobe. */
export async function copyModules(kernel: string, guest: string, busybox: string): Promise<void> {
  const [release] = await readdir(join(kernel, 'lib/modules'));
  if (release === undefined) throw new TypeError(`${kernel} has no kernel modules`);
  const from = join(kernel, 'lib/modules', release);
  const to = join(guest, 'lib/modules', release);
  await run(busybox, ['depmod', '-b', kernel, release]);
  const index = await readFile(join(from, 'modules.dep'), 'utf8');
  const lines = new Map(
    index.split('\n').map((line) => [/([^/]+)\.ko:/.exec(line)?.[1]?.replaceAll('-', '_'), line] as const),
  );
  const files = new Set(
    MODULES.flatMap((name) =>
      (lines.get(name.replaceAll('-', '_')) ?? '').replace(':', '').split(' ').filter(Boolean),
    ),
  );
  for (const file of [...files, 'modules.order', 'modules.builtin']) {
    await mkdir(dirname(join(to, file)), { recursive: true });
    await copyFile(join(from, file), join(to, file));
  }
  await run(busybox, ['depmod', '-b', guest, release]);
}

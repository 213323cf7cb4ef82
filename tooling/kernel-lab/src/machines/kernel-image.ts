import { execFile } from 'node:child_process';
import { open, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const XZ = Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]);
const ELF = Buffer.from([0x7f, 0x45, 0x4c, 0x46]);

/**
 * Unpacks the kernel of a Debian package to `path`, because QEMU without hardware virtualisation takes a minute to run the
 * kernel's own decompressor.
 * @throws {TypeError} when the image is not compressed with xz
 */
export async function unpackKernel(kernel: string, path: string): Promise<void> {
  const folder = join(kernel, 'boot');
  const name = (await readdir(folder)).find((file) => file.startsWith('vmlinuz'));
  if (name === undefined) throw new TypeError(`${folder} has no kernel image`);
  const image = await readFile(join(folder, name));
  const start = image.indexOf(XZ);
  if (start === -1) throw new TypeError(`${name} is not compressed with xz`);
  const compressed = `${path}.xz`;
  await writeFile(compressed, image.subarray(start));
  // Fails after the last block, because other data follows it: the check below tells whether it succeeded.
  await run('sh', ['-c', 'xz -dc "$1" >"$2" 2>/dev/null || true', 'sh', compressed, `${path}.new`]);
  const head = Buffer.alloc(ELF.length);
  await using file = await open(`${path}.new`);
  await file.read(head);
  if (!head.equals(ELF)) throw new TypeError(`${name} does not unpack to an ELF file`);
  await rename(`${path}.new`, path);
}

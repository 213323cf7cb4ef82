/** Regular files of a tar archive, by path. Long names of PAX and GNU archives are not read: such files are left out. */
export function filesIn(archive: Buffer): ReadonlyMap<string, Buffer> {
  const files = new Map<string, Buffer>();
  const text = (offset: number, length: number) =>
    archive
      .subarray(offset, offset + length)
      .toString('utf8')
      .split('\0', 1)
      .join('');
  for (let offset = 0; offset + 512 <= archive.length && archive[offset] !== 0; ) {
    const sizeBytes = Number.parseInt(text(offset + 124, 12).trim() || '0', 8);
    const type = text(offset + 156, 1);
    const prefix = text(offset + 345, 155);
    const path = `${prefix === '' ? '' : `${prefix}/`}${text(offset, 100)}`.replace(/^\.?\//, '');
    const start = offset + 512;
    if (type === '0' || type === '') files.set(path, archive.subarray(start, start + sizeBytes));
    offset = start + Math.ceil(sizeBytes / 512) * 512;
  }
  return files;
}

/** A file or folder of a layer. Paths are relative, without a slash at the start. */
export interface TarEntry {
  readonly path: string;
  readonly mode: number;
  /** Absent: a folder. */
  readonly content?: Uint8Array;
  /** Target of a symbolic link; `content` is absent then. */
  readonly linkTo?: string;
}

const BLOCK_BYTES = 512;
/** Longest path in the name field of a ustar header. */
const NAME_BYTES = 100;

/** A ustar archive of `entries` in the order of their paths, owned by root, every time stamp `mtimeSeconds`: the same input gives the same bytes. */
export function tarOf(entries: readonly TarEntry[], mtimeSeconds: number): Buffer {
  const blocks: Uint8Array[] = [];
  for (const entry of entries.toSorted((a, b) => (a.path < b.path ? -1 : 1))) {
    const { content = new Uint8Array() } = entry;
    blocks.push(header(entry, content.length, mtimeSeconds), content);
    blocks.push(Buffer.alloc((BLOCK_BYTES - (content.length % BLOCK_BYTES)) % BLOCK_BYTES));
  }
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK_BYTES)]);
}

function header(
  { path, mode, content, linkTo = '' }: TarEntry,
  sizeBytes: number,
  mtimeSeconds: number,
): Buffer {
  const isFolder = content === undefined && linkTo === '';
  const { prefix, name } = splitPath(isFolder ? `${path}/` : path);
  const block = Buffer.alloc(BLOCK_BYTES);
  const octal = (value: number, offset: number, length: number) =>
    block.write(value.toString(8).padStart(length - 1, '0'), offset);
  block.write(name, 0);
  octal(mode, 100, 8);
  octal(0, 108, 8); // uid
  octal(0, 116, 8); // gid
  octal(sizeBytes, 124, 12);
  octal(mtimeSeconds, 136, 12);
  block.write(' '.repeat(8), 148);
  block.write(isFolder ? '5' : linkTo === '' ? '0' : '2', 156);
  block.write(linkTo, 157);
  block.write('ustar\u000000', 257);
  block.write(prefix, 345);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\u0000 `, 148);
  return block;
}

/** @throws {TypeError} for a path that a ustar header cannot hold */
function splitPath(path: string): { readonly prefix: string; readonly name: string } {
  if (Buffer.byteLength(path) <= NAME_BYTES) return { prefix: '', name: path };
  for (let at = path.indexOf('/'); at > 0; at = path.indexOf('/', at + 1)) {
    const [prefix, name] = [path.slice(0, at), path.slice(at + 1)];
    if (Buffer.byteLength(name) <= NAME_BYTES && Buffer.byteLength(prefix) <= 155 && name !== '')
      return { prefix, name };
  }
  throw new TypeError(`Expected a path of at most 255 bytes with a slash in the right place, got "${path}"`);
}

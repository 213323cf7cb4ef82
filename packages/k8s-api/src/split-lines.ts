const NEWLINE = 0x0a;

/** Longest line taken, bytes: ten times the largest object etcd stores (1.5 MiB). */
const MAX_LINE_BYTES = 15 * 1024 * 1024;

/**
 * Splits a byte stream at newlines and decodes each line once it is whole, so neither a line nor a character is
 * ever cut at a chunk boundary. Empty lines are left out; the last line needs no newline.
 * @throws {RangeError} for a line longer than 15 MiB.
 */
export async function* splitLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string, void> {
  let pending: Uint8Array[] = [];
  let pendingBytes = 0;
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      const line = decode([...pending, chunk.subarray(start, end)]);
      pending = [];
      pendingBytes = 0;
      start = end + 1;
      if (line !== '') yield line;
    }
    if (start === chunk.length) continue;
    pending.push(chunk.subarray(start));
    pendingBytes += chunk.length - start;
    if (pendingBytes > MAX_LINE_BYTES) throw new RangeError(`Line longer than ${MAX_LINE_BYTES} bytes`);
  }
  if (pending.length > 0) yield decode(pending);
}

function decode(parts: readonly Uint8Array[]): string {
  return Buffer.concat(parts).toString('utf8').trim();
}

import { describe, expect, it } from 'vitest';
import { splitLines } from './split-lines.ts';

async function split(chunks: readonly Uint8Array[]): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of splitLines(toStream(chunks))) lines.push(line);
  return lines;
}

async function* toStream(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield chunk;
}

describe('splitLines', () => {
  const text = '{"name":"größe-😀"}\n\n{"b":2}\r\n{"c":3}';
  const bytes = Buffer.from(text);

  it.each([1, 2, 3, 5, 7, 1000])('gives the same lines in chunks of %i bytes', async (size) => {
    const chunks: Uint8Array[] = [];
    for (let start = 0; start < bytes.length; start += size) chunks.push(bytes.subarray(start, start + size));
    expect(await split(chunks)).toEqual(['{"name":"größe-😀"}', '{"b":2}', '{"c":3}']);
  });

  it('gives nothing for an empty stream', async () => {
    expect(await split([])).toEqual([]);
  });

  it('refuses a line that never ends', async () => {
    const megabyte = Buffer.alloc(1024 * 1024, 'x');
    await expect(split(Array.from({ length: 16 }, () => megabyte))).rejects.toThrow(RangeError);
  });
});

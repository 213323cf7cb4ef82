import { appendFile, open, readFile, rename } from 'node:fs/promises';
import type { AuditRecord } from '@reattach/status-page';
import type { AuditPlace } from './audit-outbox.ts';

/** Where the part before the last rotation is kept. */
const ROTATED_SUFFIX = '.1';
const NEWLINE = 10;

/**
 * Records as JSON lines in a file that does not outgrow `maxBytes`: it is then renamed to `.1`, in place of the one before.
 * One process writes it, one record at a time.
 */
export class AuditFile implements AuditPlace {
  /** Its path. */
  readonly name: string;
  readonly batch = 1;
  readonly #maxBytes: number;
  /** Bytes in the file; absent: not known. */
  #sizeBytes: number | undefined;

  constructor(path: string, maxBytes: number) {
    this.name = path;
    this.#maxBytes = maxBytes;
  }

  /** @throws when the file cannot be written; a part of the records may be. */
  async append(records: readonly AuditRecord[]): Promise<void> {
    const line = records.map((record) => `${JSON.stringify(record)}\n`).join('');
    const lineBytes = Buffer.byteLength(line);
    const known = this.#sizeBytes ?? (await this.#examine());
    this.#sizeBytes = undefined; // whatever fails below
    const isFull = known > 0 && known + lineBytes > this.#maxBytes;
    if (isFull) await rename(this.name, `${this.name}${ROTATED_SUFFIX}`);
    await appendFile(this.name, line, { mode: 0o640 });
    this.#sizeBytes = (isFull ? 0 : known) + lineBytes;
  }

  /** The last `limit` records, oldest first; skips lines that hold something else. @throws when a file is there but cannot be read. */
  async last(limit: number): Promise<readonly AuditRecord[]> {
    const parts = [await textOf(`${this.name}${ROTATED_SUFFIX}`), await textOf(this.name)];
    const lines = parts.flatMap((text) => text.split('\n').filter((line) => line !== ''));
    return lines.slice(-limit).flatMap((line) => parseRecord(line) ?? []);
  }

  /** The size of the file. Ends a line that a crash cut off: it is then skipped by readers, and the next one is whole. */
  async #examine(): Promise<number> {
    await using file = await open(this.name, 'a+', 0o640);
    const { size } = await file.stat();
    if (size === 0) return 0;
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
    if (buffer[0] === NEWLINE) return size;
    await file.appendFile('\n');
    return size + 1;
  }
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (err) {
    if (err instanceof Error && 'code' in err && err.code === 'ENOENT') return '';
    throw err;
  }
}

function parseRecord(line: string): AuditRecord | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isAuditRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Every record has these; its kind decides which others. */
const TEXTS = ['kind', 'node', 'why', 'reconcileID'] as const;

/** Says whether a value is a record; those of a newer version may have more fields. */
export function isAuditRecord(value: unknown): value is AuditRecord {
  if (typeof value !== 'object' || value === null) return false;
  const fields: Readonly<Record<string, unknown>> = { ...value };
  return typeof fields['atMs'] === 'number' && TEXTS.every((name) => typeof fields[name] === 'string');
}

import { isErrorText } from './error-text.ts';

/** One record of a menu: property -> value, as the backend spelled it. */
export type Row = Readonly<Record<string, unknown>>;

/** What one statement of a command prints. */
export interface Expectation {
  readonly label: string;
  /** Values of one line in their order (`label|a|b`, any number of lines); absent: one line of JSON (`label=[...]`). */
  readonly fields?: readonly string[];
}

/** Why a reply is worth nothing. `detail` is for people and holds at most a short piece of the reply. */
export interface ReplyFault {
  readonly code: 'INCOMPLETE' | 'MALFORMED' | 'REFUSED';
  readonly detail: string;
}

export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly fault: ReplyFault };

/** Rows by label. */
export type Reply = ReadonlyMap<string, readonly Row[]>;

/** Longest piece of a reply that may be quoted. */
const MAX_QUOTE = 120;

/**
 * Takes a reply apart. Never throws. It counts only when the line `END-<nonce>`, with its line end, comes last and
 * everything before it is what the statements print, in their order: a log line that slipped in or one line too few
 * makes the whole reply worthless.
 */
export function parseReply(
  stdout: Uint8Array,
  nonce: string,
  expected: readonly Expectation[],
): Parsed<Reply> {
  // Comments typed in WinBox may be in any code page: replaced characters match nothing, the rest stays readable.
  const lines = new TextDecoder().decode(stdout).split('\n');
  const unfinished = lines.pop() ?? '';
  const trimmed = lines.map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
  const end = trimmed.indexOf(`END-${nonce}`);
  const body = (end === -1 ? [...trimmed, unfinished] : trimmed.slice(0, end)).filter((line) => line !== '');
  const refusal = body.find((line) => !isLabelled(line, expected) && isErrorText(line));
  if (refusal !== undefined) return fail('REFUSED', quote(refusal));
  if (end === -1) return fail('INCOMPLETE', 'the reply has no end marker');
  if (trimmed.slice(end + 1).some((line) => line !== '') || unfinished !== '') {
    return fail('MALFORMED', 'something follows the end marker');
  }
  return parseBody(body, expected);
}

function isLabelled(line: string, expected: readonly Expectation[]): boolean {
  return expected.some((expectation) => line.startsWith(prefixOf(expectation)));
}

function prefixOf({ label, fields }: Expectation): string {
  return `${label}${fields ? '|' : '='}`;
}

function parseBody(body: readonly string[], expected: readonly Expectation[]): Parsed<Reply> {
  const reply = new Map<string, readonly Row[]>();
  let next = 0;
  for (const expectation of expected) {
    const { label, fields } = expectation;
    const prefix = prefixOf(expectation);
    const end = fields ? runEnd(body, next, prefix) : next + 1;
    const lines = body.slice(next, end);
    if (!fields && !lines[0]?.startsWith(prefix)) {
      const what = lines[0] === undefined ? `${label} is missing` : `unexpected line ${quote(lines[0])}`;
      return fail('MALFORMED', what);
    }
    const rows = [...(reply.get(label) ?? [])];
    for (const line of lines) {
      const text = line.slice(prefix.length);
      const parsed = fields ? parseFields(label, fields, text) : parseJson(label, text);
      if (!parsed.ok) return parsed;
      for (const row of parsed.value) rows.push(row);
    }
    reply.set(label, rows);
    next = end;
  }
  const foreign = body[next];
  return foreign === undefined
    ? { ok: true, value: reply }
    : fail('MALFORMED', `unexpected line ${quote(foreign)}`);
}

/** Index after the run of lines with this prefix. */
function runEnd(body: readonly string[], from: number, prefix: string): number {
  const end = body.findIndex((line, index) => index >= from && !line.startsWith(prefix));
  return end === -1 ? body.length : end;
}

/** An empty result is `[]` or `""`; a single record may stand without its array. */
function parseJson(label: string, text: string): Parsed<readonly Row[]> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return fail('MALFORMED', `${label} is not valid JSON`);
  }
  if (value === '') return { ok: true, value: [] };
  const rows: readonly unknown[] = Array.isArray(value) ? value : [value];
  return rows.every(isRow)
    ? { ok: true, value: rows }
    : fail('MALFORMED', `${label} is not a list of records`);
}

function isRow(value: unknown): value is Row {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseFields(label: string, fields: readonly string[], text: string): Parsed<readonly Row[]> {
  const values = text.split('|');
  if (values.length !== fields.length) {
    return fail('MALFORMED', `${label} has ${values.length} values instead of ${fields.length}`);
  }
  return { ok: true, value: [Object.fromEntries(fields.map((field, index) => [field, values[index]]))] };
}

function quote(line: string): string {
  const printable = line.replaceAll(/[^ -~]/g, '?');
  return JSON.stringify(printable.length > MAX_QUOTE ? `${printable.slice(0, MAX_QUOTE)}...` : printable);
}

function fail(code: ReplyFault['code'], detail: string): { readonly ok: false; readonly fault: ReplyFault } {
  return { ok: false, fault: { code, detail } };
}

import type { Flag, ListMenu, Row, SettingsMenu } from '../menu/menu.ts';
import { toText, type Value, type ValueMap } from '../script/value.ts';
import { wrapFields } from './wrap-fields.ts';

/** A row and its place in the whole menu, which is the number it is printed with. */
export interface NumberedRow {
  readonly index: number;
  readonly row: Row;
}

export interface PrintOptions {
  readonly widthColumns: number;
  /** `print detail` without a row still prints `Flags:`. */
  readonly emptyFlags: boolean;
}

/** `print detail`: `key=value` pairs, wrapped; only the flags that occur are listed, and their column is as wide as they need. */
export function printDetail(
  menu: ListMenu,
  keys: readonly string[] | undefined,
  rows: readonly NumberedRow[],
  { widthColumns, emptyFlags }: PrintOptions,
): readonly string[] {
  if (rows.length === 0) return emptyFlags ? ['Flags:'] : [];
  const flags = usedFlags(menu, rows);
  const numberWidth = numberColumn(rows);
  const lines = [...legend(flags)];
  for (const [index, numbered] of rows.entries()) {
    const prefix = `${prefixOf(numbered, numberWidth, flags)} `;
    if (index > 0) lines.push(' ');
    const fields = wrapFields(prefix, fieldsOf(menu, keys, numbered.row.values, true), widthColumns);
    const comment = numbered.row.values.get('comment');
    if (comment === undefined || comment === '') lines.push(...fields);
    else
      lines.push(
        `${prefix};;; ${toText(comment)}`,
        ' '.repeat(prefix.length) + (fields[0] ?? '').slice(prefix.length),
        ...fields.slice(1),
      );
  }
  return [...lines, ''];
}

/** `print terse`: one row a line, nothing quoted. */
export function printTerse(
  menu: ListMenu,
  keys: readonly string[] | undefined,
  rows: readonly NumberedRow[],
): readonly string[] {
  const flags = usedFlags(menu, rows);
  const numberWidth = numberColumn(rows);
  const lines = rows.map(
    (numbered) =>
      `${prefixOf(numbered, numberWidth, flags)} ${fieldsOf(menu, keys, numbered.row.values, false).join(' ')}`,
  );
  return rows.length === 0 ? [] : [...lines, ''];
}

/** Plain `print`: a table, its columns as wide as their widest cell. */
export function printTable(
  menu: ListMenu,
  keys: readonly string[],
  rows: readonly NumberedRow[],
): readonly string[] {
  if (rows.length === 0) return [];
  const flags = usedFlags(menu, rows);
  const numberWidth = numberColumn(rows);
  const columns = keys.filter((key) => rows.some(({ row }) => row.values.has(key)));
  const cells = rows.map(({ row }) => columns.map((key) => plainText(key, row.values.get(key))));
  const widths = columns.map((key, column) =>
    Math.max(key.length, ...cells.map((line) => line[column]?.length ?? 0)),
  );
  const pad = (line: readonly string[]) => line.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ');
  const names = columns.map((key) => key.toUpperCase());
  const head = '#'.padEnd(numberWidth + (flags.length > 0 ? flags.length + 1 : 0));
  return [
    ...legend(flags),
    `Columns: ${names.join(', ')}`,
    `${head} ${pad(names)}`,
    ...rows.flatMap((numbered, i) => {
      const comment = toText(numbered.row.values.get('comment'));
      return [
        ...(comment === '' ? [] : [`;;; ${comment}`]),
        `${prefixOf(numbered, numberWidth, flags)} ${pad(cells[i] ?? [])}`,
      ];
    }),
    '',
  ];
}

/** `print` of settings: `name: value`, the names aligned to the right. */
export function printSettings(menu: SettingsMenu): readonly string[] {
  const values = menu.read();
  const width = Math.max(...[...values.keys()].map((key) => key.length)) + 2;
  return [...[...values].map(([key, value]) => `${key.padStart(width)}: ${plainText(key, value)}`), ''];
}

function usedFlags(menu: ListMenu, rows: readonly NumberedRow[]): readonly Flag[] {
  return menu.flags.filter(({ key }) => rows.some(({ row }) => row.values.get(key) === true));
}

function legend(flags: readonly Flag[]): readonly string[] {
  if (flags.length === 0) return [];
  return [`Flags: ${flags.map(({ letter, name }) => `${letter} - ${name}`).join('; ')}`];
}

function numberColumn(rows: readonly NumberedRow[]): number {
  return Math.max(...rows.map(({ index }) => String(index).length));
}

function prefixOf({ index, row }: NumberedRow, numberWidth: number, flags: readonly Flag[]): string {
  const number = String(index).padStart(numberWidth);
  if (flags.length === 0) return number;
  return `${number} ${flags.map(({ key, letter }) => (row.values.get(key) === true ? letter : ' ')).join('')}`;
}

function fieldsOf(
  menu: ListMenu,
  keys: readonly string[] | undefined,
  values: ValueMap,
  quote: boolean,
): readonly string[] {
  const flagOnly = new Set(menu.flags.filter(({ alsoKey }) => !alsoKey).map(({ key }) => key));
  const stats = new Set(menu.stats);
  const wanted = keys
    ? keys.filter((key) => values.has(key))
    : [...values.keys()].filter(
        (key) => !flagOnly.has(key) && !(stats.has(key) && isCounter(key)) && !(quote && key === 'comment'),
      );
  return wanted.map((key) => {
    const text = plainText(key, values.get(key));
    return `${key}=${quote && menu.quoted.has(key) ? `"${escapeQuoted(text)}"` : text}`;
  });
}

/** Counters are shown by `print stats` alone. */
export function isCounter(key: string): boolean {
  return /^(?:read|write|in-flight)-(?:ops|bytes)$|^bytes$|^packets$/.test(key);
}

function escapeQuoted(text: string): string {
  return text.replace(/["\\$]/g, '\\$&');
}

/** As for people: `yes` and `no`, bytes of memory in MiB, digits in groups of three, except in ports. */
function plainText(key: string, value: Value): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value !== 'number' || key.endsWith('port')) return toText(value);
  if (key.endsWith('-rate')) return `${value}bps`;
  if (/-memory$|-hdd-space$/.test(key)) return `${(value / 1024 ** 2).toFixed(1)}MiB`;
  return String(value).replace(/\B(?=(?:\d{3})+$)/g, ' ');
}

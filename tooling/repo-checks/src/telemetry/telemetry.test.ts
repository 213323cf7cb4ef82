import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { coreSource } from '../core-source.ts';
import { ROOT } from '../documents.ts';
import { logCallsIn, logTable } from './log-calls.ts';
import { productionSources } from './sources.ts';
import { attributesIn, instrumentsIn, spanNamesIn } from './spans.ts';

const DOCUMENT = join(ROOT, 'docs/telemetry.md');
/** Set `WRITE_TELEMETRY=1` to renew the tables that the sources give completely: log messages and hold reasons. */
const isRenewed = process.env['WRITE_TELEMETRY'] === '1';
const docs = readFileSync(DOCUMENT, 'utf8');
const sources = productionSources();

/** The rows of the table below a heading, head included. */
function tableOf(heading: string): readonly string[] {
  const [, section = ''] = new RegExp(`^#+ ${heading}$([^]*?)(?=^#|(?![^]))`, 'm').exec(docs) ?? [];
  return section.match(/^\|.*$/gm) ?? [];
}

/** Replaces that table where tables are renewed. @returns what the document has now. */
function renewed(heading: string, table: string): string {
  const old = tableOf(heading).join('\n');
  if (!isRenewed) return old;
  writeFileSync(
    DOCUMENT,
    readFileSync(DOCUMENT, 'utf8').replace(old, () => table),
  );
  return table;
}

/** First cells of that table, without the head. */
function namesIn(heading: string): readonly string[] {
  return tableOf(heading).flatMap((row) => /^\| `([^`]+)` \|/.exec(row)?.[1] ?? []);
}

const distinct = (names: readonly string[]) => [...new Set(names)].toSorted();

describe('docs/telemetry.md', () => {
  it('has every log message with its levels and keys, and no other', () => {
    const calls = sources.flatMap((source) => logCallsIn(source, sources));
    expect(calls.length).toBeGreaterThan(50);
    const table = logTable(calls);
    expect(renewed('Log messages', table)).toBe(table);
  });

  it('has every instrument of the tables of the packages, and no other', () => {
    const instruments = sources.flatMap(instrumentsIn).map((name) => name.replaceAll('.', '_'));
    expect(instruments.length).toBeGreaterThan(20);
    const named = namesIn('Metrics').filter((name) => name !== 'target_info');
    expect(named.map((name) => name.replace(/_(?:total|seconds)$/, '')).toSorted()).toEqual(
      instruments.toSorted(),
    );
  });

  it('has every span, and no other', () => {
    const names = distinct(sources.flatMap(spanNamesIn));
    expect(names).toContain('reconcile attachments');
    expect(namesIn('Spans').toSorted()).toEqual(names);
  });

  it('has every attribute of spans and metrics, and no other', () => {
    const names = distinct(sources.flatMap(attributesIn));
    expect(names).toContain('reattach.evidence');
    expect(namesIn('Attributes').toSorted()).toEqual(names);
  });

  it('has every reason of Events, and no other', () => {
    const [, list = ''] = /EVENT_REASONS = \[([^\]]+)\]/.exec(coreSource('ports.ts')) ?? [];
    const reasons = [...list.matchAll(/'(\w+)'/g)].map(([, reason = '']) => reason);
    expect(reasons).toContain('ReleaseHeld');
    expect(namesIn('Events').toSorted()).toEqual(reasons.toSorted());
  });

  it('has every hold reason as the code words it, and no other', () => {
    const text = coreSource('hold-reason.ts');
    const rows = [...text.matchAll(/^ {2}'?([\w-]+)'?:\s*'([^']+)',/gm)].map(
      ([, reason, meaning]) => `| \`${reason}\` | ${meaning} |`,
    );
    expect(rows.length).toBeGreaterThan(10);
    const table = ['| Reason | Meaning |', '|---|---|', ...rows].join('\n');
    expect(renewed('Hold reasons', table)).toBe(table);
  });
});

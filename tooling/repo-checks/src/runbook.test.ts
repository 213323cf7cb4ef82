import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { readChartFile } from './chart/chart-files.ts';
import { coreSource } from './core-source.ts';
import { ROOT } from './documents.ts';

interface Rule {
  readonly alert: string;
  readonly annotations: Readonly<Record<string, string>>;
}

const runbook = readFileSync(join(ROOT, 'docs/runbook.md'), 'utf8');
const { groups } = parse(readChartFile('rules/reattach.yaml')) as {
  readonly groups: readonly { readonly rules: readonly Rule[] }[];
};
const alerts = groups.flatMap(({ rules }) => rules);

/** Titles of the sections below a title. */
function sectionsOf(title: string): readonly string[] {
  const [, part = ''] = new RegExp(`^## ${title}$([^]*?)(?=^## |(?![^]))`, 'm').exec(runbook) ?? [];
  return [...part.matchAll(/^### (.+)$/gm)].map(([, section = '']) => section);
}

/** Keys of a table of core. */
function keysOf(file: string, table: string): readonly string[] {
  const [, body = ''] = new RegExp(`${table} = \\{([^]*?)\\n\\} as const;`).exec(coreSource(file)) ?? [];
  return [...body.matchAll(/^ {2}'?([\w-]+)'?:/gm)].map(([, key = '']) => key);
}

describe('docs/runbook.md', () => {
  it('has one section for each alert', () => {
    expect(alerts).not.toEqual([]);
    expect(sectionsOf('Alerts')).toEqual(alerts.map(({ alert }) => alert));
  });

  it.each(alerts)('is where $alert sends people', ({ alert, annotations }) => {
    expect(annotations['runbook_url']).toBe(`RUNBOOK_URL#${alert.toLowerCase()}`);
    expect(annotations['page_url']).toBe('PAGE_URL');
    expect(annotations['summary']).toBeTruthy();
    expect(annotations['description']).toBeTruthy();
  });

  it('has one section for each hold reason', () => {
    const reasons = keysOf('hold-reason.ts', 'HOLD_REASONS');
    expect(reasons).toContain('dry-run');
    expect(sectionsOf('Hold reasons')).toEqual(reasons);
  });

  it.each(keysOf('hold-reason.ts', 'HOLD_REASONS'))(
    'names a command, or the entry that has it, for %s',
    (reason) => {
      const [, section = ''] = new RegExp(`^### ${reason}$([^]*?)(?=^##|(?![^]))`, 'm').exec(runbook) ?? [];
      expect(section).toMatch(/`(?:kubectl|reattach) |\]\(#reattach|Repair that/);
    },
  );

  it('has one row for each reason why the storage says nothing', () => {
    const reasons = keysOf('storage-reading.ts', 'UNKNOWN_REASONS');
    expect(reasons).toContain('not-observable');
    const [, section = ''] = /^### storage-unknown$([^]*?)^### /m.exec(runbook) ?? [];
    const rows = [...section.matchAll(/^\| `([\w-]+)` \|/gm)].map(([, reason = '']) => reason);
    expect(rows.toSorted()).toEqual(reasons.toSorted());
  });
});

describe('docs/concepts.md', () => {
  it('draws the rules in their order', () => {
    const concepts = readFileSync(join(ROOT, 'docs/concepts.md'), 'utf8');
    const drawn = [...concepts.matchAll(/^ {3}\| {2}([a-z]+(?:-[a-z]+)+) /gm)].map(([, name = '']) => name);
    const rules = [...coreSource('rules.ts').matchAll(/\bname: '([\w-]+)',\s+decide:/g)].map(
      ([, name = '']) => name,
    );
    expect(rules).toContain('node-lost');
    expect(drawn).toEqual(rules);
  });
});

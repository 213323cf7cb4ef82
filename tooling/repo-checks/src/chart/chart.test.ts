import { globSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { ROOT } from '../documents.ts';
import { CHART, defaultValues, readChartFile } from './chart-files.ts';
import type { Schema } from './config-schema.ts';
import { documentedSchema } from './values-schema.ts';
import { documentedValues, valuesTable } from './values-table.ts';

/** Set `WRITE_CHART=1` to renew the table and the schema from `values.yaml` and the README of the controller; then format. */
const isRenewed = process.env['WRITE_CHART'] === '1';

function isWithin(key: string, other: string): boolean {
  return key === other || key.startsWith(`${other}.`);
}

/** Whatever needs the rendered chart is in test/e2e, where Helm renders it. */
describe('deploy/chart', () => {
  it('has the table of values in its README', async () => {
    const readme = readChartFile('README.md');
    const expected = readme.replace(/^\| Value \|[^]*?(?=\n\n)/m, () => valuesTable());
    if (isRenewed) await writeFile(join(CHART, 'README.md'), expected);
    expect(readChartFile('README.md')).toBe(expected);
    expect(expected).toContain(`\n\n${valuesTable()}\n\n`);
  });

  it('documents every value', () => {
    expect(documentedValues().filter(({ meaning }) => meaning === '')).toEqual([]);
  });

  it('uses every value, and no others', () => {
    const templates = globSync('templates/*', { cwd: CHART }).map(readChartFile).join('\n');
    const used = new Set([...templates.matchAll(/\.Values\.([\w.]+)/g)].map(([, key = '']) => key));
    const known = documentedValues().map(({ key }) => key);
    expect(known.filter((key) => ![...used].some((each) => isWithin(key, each)))).toEqual([]);
    expect(
      [...used].filter((each) => !each.startsWith('config.') && !known.some((key) => isWithin(each, key))),
    ).toEqual([]);
  });

  it('knows the options of the controller in its schema, and describes its own values', async () => {
    const schema = JSON.parse(readChartFile('values.schema.json')) as Schema;
    const expected = documentedSchema(schema);
    if (isRenewed) await writeFile(join(CHART, 'values.schema.json'), JSON.stringify(expected, null, 2));
    expect(JSON.parse(readChartFile('values.schema.json'))).toEqual(expected);
  });

  it('knows its own values in its schema', () => {
    const { properties } = JSON.parse(readChartFile('values.schema.json')) as { properties: object };
    expect(Object.keys(properties).toSorted()).toEqual(
      ['global', ...Object.keys(defaultValues())].toSorted(),
    );
  });

  it('has the version of the controller', () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'apps/controller/package.json'), 'utf8')) as {
      version: string;
    };
    expect(parse(readChartFile('Chart.yaml'))).toMatchObject({ appVersion: version });
  });

  it('has the licence of the repository', () => {
    expect(readChartFile('LICENSE')).toBe(readFileSync(join(ROOT, 'LICENSE'), 'utf8'));
  });

  it('defaults to mode observe with two pods', () => {
    expect(defaultValues()).toMatchObject({ config: { mode: 'observe' }, replicas: 2 });
  });

  it('draws every panel of the dashboard in a place of its own', () => {
    const { panels } = JSON.parse(readChartFile('dashboards/reattach.json')) as {
      panels: readonly { id: number; gridPos: { x: number; y: number; w: number; h: number } }[];
    };
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const places = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, index) => `${x + (index % w)},${y + Math.floor(index / w)}`),
    );
    expect(new Set(places).size).toBe(places.length);
    expect(Math.max(...panels.map(({ gridPos: { x, w } }) => x + w))).toBe(24);
  });
});

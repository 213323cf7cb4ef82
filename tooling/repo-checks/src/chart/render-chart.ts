import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { parse, parseAllDocuments } from 'yaml';
import { ROOT } from '../documents.ts';
import { evaluateTemplate } from './template-evaluator.ts';
import { type ParsedTemplate, parseTemplate } from './template-parser.ts';

export const CHART: string = join(ROOT, 'deploy/chart');

export type Values = Readonly<Record<string, unknown>>;

/** A Kubernetes object as the chart makes it. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
}

export interface RenderOptions {
  /** Over those of `values.yaml`. */
  readonly values?: Values;
  readonly name?: string;
  readonly namespace?: string;
}

/** Values of `values.yaml`. */
export function defaultValues(): Values {
  return parse(readChartFile('values.yaml')) as Values;
}

/** What is wrong with values by `values.schema.json`; empty: nothing. */
export function schemaErrors(values: Values): readonly string[] {
  const validate = new Ajv({ allErrors: true, strictTypes: false }).compile(
    JSON.parse(readChartFile('values.schema.json')) as object,
  );
  validate(mergeValues(defaultValues(), values));
  return (validate.errors ?? []).map(({ instancePath, message, params }) => {
    const extra: unknown = params['additionalProperty'];
    return `${instancePath || '/'} ${message}${typeof extra === 'string' ? `: ${extra}` : ''}`;
  });
}

/** What `helm template` prints, without its comments. @throws {TypeError} when the values are refused, {TemplateError}. */
export function renderChart(options: RenderOptions = {}): string {
  const { values = {}, name = 'reattach', namespace = 'reattach' } = options;
  const errors = schemaErrors(values);
  if (errors.length > 0) throw new TypeError(`Expected values that the schema allows: ${errors.join('; ')}`);
  const chart = parse(readChartFile('Chart.yaml')) as Readonly<Record<string, unknown>>;
  const files = globSync('{dashboards,rules}/*', { cwd: CHART }).map(
    (path) => [path, readChartFile(path)] as const,
  );
  const root = {
    Values: mergeValues(defaultValues(), values),
    Release: { Name: name, Namespace: namespace, Service: 'Helm' },
    Chart: { Name: chart['name'], Version: chart['version'], AppVersion: chart['appVersion'] },
    Files: new Map(files),
  };
  const templates = parseTemplates();
  const definitions = new Map([...templates.values()].flatMap((template) => [...template.definitions]));
  return [...templates]
    .filter(([path]) => path.endsWith('.yaml'))
    .map(([, { nodes }]) => evaluateTemplate(nodes, root, definitions).trim())
    .filter((text) => text !== '')
    .map((text) => `---\n${text}\n`)
    .join('');
}

/** The objects of a rendered chart. @throws the first fault of its YAML. */
export function parseManifests(text: string): readonly Manifest[] {
  return parseAllDocuments(text)
    .map((document) => {
      const [error] = document.errors;
      if (error) throw error;
      return document.toJS() as Manifest | null;
    })
    .filter((manifest) => manifest !== null);
}

/** As Helm merges them: maps key by key, everything else as a whole; `null` takes a key away. */
export function mergeValues(base: Values, over: Values): Values {
  const merged = new Map(Object.entries(base));
  for (const [key, value] of Object.entries(over)) {
    const old = merged.get(key);
    if (value === null) merged.delete(key);
    else merged.set(key, isMap(value) && isMap(old) ? mergeValues(old, value) : value);
  }
  return Object.fromEntries(merged);
}

/** Text of a file of the chart. */
export function readChartFile(path: string): string {
  return readFileSync(join(CHART, path), 'utf8');
}

/** By path, in the order of their paths. */
export function parseTemplates(): ReadonlyMap<string, ParsedTemplate> {
  const paths = globSync('templates/*', { cwd: CHART }).toSorted();
  return new Map(paths.map((path) => [path, parseTemplate(readChartFile(path), path)]));
}

function isMap(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

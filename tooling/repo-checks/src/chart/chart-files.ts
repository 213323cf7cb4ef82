import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { ROOT } from '../documents.ts';

export const CHART: string = join(ROOT, 'deploy/chart');

export type Values = Readonly<Record<string, unknown>>;

/** A Kubernetes object of the chart. */
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

/** Text of a file of the chart. @param path relative to the chart. */
export function readChartFile(path: string): string {
  return readFileSync(join(CHART, path), 'utf8');
}

/** Values of `values.yaml`. */
export function defaultValues(): Values {
  return parse(readChartFile('values.yaml')) as Values;
}

/** The objects of a YAML stream. @throws the first error of its YAML. */
export function parseManifests(text: string): readonly Manifest[] {
  return parseAllDocuments(text)
    .map((document) => {
      const [error] = document.errors;
      if (error) throw error;
      return document.toJS() as Manifest | null;
    })
    .filter((manifest) => manifest !== null);
}

import { isMap, isScalar, parseDocument, type YAMLMap } from 'yaml';
import { readChartFile } from './chart-files.ts';

/** A value of `values.yaml` with the comment before it. */
export interface DocumentedValue {
  /** Nested by dots. */
  readonly key: string;
  /** As JSON. Empty for a map whose values are documented one by one. */
  readonly fallback: string;
  /** Empty when it is not documented. */
  readonly meaning: string;
}

/** Every value; a map counts as one value when it is empty or what is in it is not documented one by one. */
export function documentedValues(): readonly DocumentedValue[] {
  const document = parseDocument(readChartFile('values.yaml'));
  if (!isMap(document.contents)) throw new TypeError('Expected a map in values.yaml');
  return valuesIn(document.contents, '', document.commentBefore ?? '');
}

/** The table of the chart's README. */
export function valuesTable(): string {
  const rows = documentedValues().map(
    ({ key, fallback, meaning }) => `| \`${key}\` | ${fallback && `\`${fallback}\``} | ${meaning} |`,
  );
  return ['| Value | Default | Meaning |', '|---|---|---|', ...rows].join('\n');
}

function valuesIn(map: YAMLMap, prefix: string, firstComment: string): readonly DocumentedValue[] {
  return map.items.flatMap(({ key, value }, index) => {
    if (!isScalar(key)) throw new TypeError('Expected scalar keys in values.yaml');
    const name = `${prefix}${String(key.value)}`;
    // The comment before the first key of a map belongs to the map in this parser.
    const comment = index === 0 ? firstComment || key.commentBefore : key.commentBefore;
    const inner = isMap(value) ? value.commentBefore : undefined;
    if (isMap(value) && value.items.length > 0 && inner) {
      const nested = valuesIn(value, `${name}.`, inner);
      return comment ? [toValue(name, '', comment), ...nested] : nested;
    }
    if (isMap(value) && value.items.length > 0 && !comment) return valuesIn(value, `${name}.`, '');
    const json: unknown = (value as { toJSON(): unknown } | null)?.toJSON();
    return [toValue(name, JSON.stringify(json), comment ?? '')];
  });
}

function toValue(key: string, fallback: string, comment: string): DocumentedValue {
  // A blank line ends what was said before.
  const [last = ''] = comment.split(/\n\s*\n/).slice(-1);
  return { key, fallback, meaning: last.replaceAll(/\s*\n\s*/g, ' ').trim() };
}

/** One sample of the Prometheus text format. */
export interface Sample {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A metric as it is exposed. */
export interface ExposedMetric {
  readonly type: string;
  readonly samples: readonly Sample[];
}

const SAMPLE = /^([a-z0-9_]+)(?:\{(.*)\})? (\S+)$/;
const ATTRIBUTE = /([a-z0-9_]+)="((?:[^"\\]|\\.)*)"/g;
/** Attributes of the exporter and of histograms, not of ours. */
const FOREIGN: ReadonlySet<string> = new Set(['otel_scope_name', 'le']);

/** Reads the Prometheus text format as far as our exporter writes it. @throws {TypeError} on any other line. */
export function parseMetrics(text: string): ReadonlyMap<string, ExposedMetric> {
  const metrics = new Map<string, { readonly type: string; readonly samples: Sample[] }>();
  let samples: Sample[] = [];
  for (const line of text.split('\n')) {
    const [, name, type] = /^# TYPE (\S+) (\S+)$/.exec(line) ?? [];
    if (name !== undefined && type !== undefined) {
      samples = [];
      metrics.set(name, { type, samples });
    } else if (line !== '' && !line.startsWith('#')) samples.push(sampleOf(line));
  }
  return metrics;
}

function sampleOf(line: string): Sample {
  const [, name, labels = '', value] = SAMPLE.exec(line) ?? [];
  if (name === undefined) throw new TypeError(`Expected a sample, got ${line}`);
  const pairs = [...labels.matchAll(ATTRIBUTE)].map(([, key = '', text = '']) => [key, text] as const);
  const attributes = Object.fromEntries(pairs.filter(([key]) => !FOREIGN.has(key)));
  return { name, attributes, value: Number(value) };
}

/** Values of each attribute of a metric, sorted. */
export function attributesOf({ samples }: ExposedMetric): Readonly<Record<string, readonly string[]>> {
  const values = new Map<string, Set<string>>();
  for (const { attributes } of samples) {
    for (const [key, value] of Object.entries(attributes)) {
      values.set(key, (values.get(key) ?? new Set()).add(value));
    }
  }
  return Object.fromEntries([...values].map(([key, set]) => [key, [...set].toSorted()]));
}

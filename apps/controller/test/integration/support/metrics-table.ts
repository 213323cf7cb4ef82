import { attributesOf, parseMetrics } from './metrics-text.ts';

/** Labels whose values are names from the cluster or the configuration, or of requests and commands. */
const OPEN: ReadonlySet<string> = new Set([
  'error_type',
  'reattach_operation',
  'reattach_storage_backend',
  'reattach_ssh_command',
  'service_name',
  'service_version',
]);

/** The metrics of a scrape as a Markdown table, by name. */
export function metricsTable(text: string): string {
  const help = new Map([...text.matchAll(/^# HELP (\S+) (.*)$/gm)].map(([, name, what]) => [name, what]));
  const rows = [...parseMetrics(text)].map(([name, metric]) => {
    const labels = Object.keys(attributesOf(metric))
      .filter((label) => label !== 'error_type')
      .toSorted();
    return `| \`${name}\` | ${metric.type} | ${labels.map((label) => `\`${label}\``).join(' ')} | ${help.get(name) ?? ''} |`;
  });
  return ['| Metric | Type | Labels | Meaning |', '|---|---|---|---|', ...rows.toSorted()].join('\n');
}

/** The labels of a scrape with every value they can have, as a Markdown table. */
export function labelsTable(text: string): string {
  const values = new Map<string, Set<string>>();
  for (const metric of parseMetrics(text).values()) {
    for (const [label, some] of Object.entries(attributesOf(metric))) {
      values.set(label, new Set([...(values.get(label) ?? []), ...some]));
    }
  }
  const rows = [...values]
    .filter(([label]) => !OPEN.has(label))
    .map(
      ([label, all]) =>
        `| \`${label}\` | ${[...all]
          .toSorted()
          .map((each) => `\`${each}\``)
          .join(' ')} |`,
    );
  return ['| Label | Values |', '|---|---|', ...rows.toSorted()].join('\n');
}

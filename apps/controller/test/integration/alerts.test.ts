import { readFileSync } from 'node:fs';
import { until } from '@reattach/sim-world';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { WorldController } from './support/world-controller.ts';

interface Rules {
  readonly groups: readonly {
    readonly rules: readonly { readonly alert: string; readonly expr: string }[];
  }[];
}

interface Panel {
  readonly title: string;
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}

const CHART = new URL('../../../../deploy/chart/', import.meta.url);
const rules = parse(readFileSync(new URL('rules/reattach.yaml', CHART), 'utf8')) as Rules;
const dashboard = JSON.parse(readFileSync(new URL('dashboards/reattach.json', CHART), 'utf8')) as {
  readonly panels: readonly Panel[];
};
const alerts = rules.groups.flatMap((group) => group.rules);
const queries = [
  ...alerts.map(({ alert, expr }) => [`alert ${alert}`, expr] as const),
  ...dashboard.panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr, legendFormat }) => [`panel ${title}`, `${expr} ${legendFormat}`] as const),
  ),
];

/** Ours, outside of strings; both metrics and labels begin so. */
function namesIn(expr: string): readonly string[] {
  return [...expr.matchAll(/\breattach_\w+/g)].map(([name]) => name);
}

/** Every sample's name, and every label's. */
function exposedIn(text: string): ReadonlySet<string> {
  const samples = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Set(
    samples.flatMap((line) => [
      /^\w+/.exec(line)?.[0] ?? '',
      ...[...line.matchAll(/[{,](\w+)="/g)].map(([, label = '']) => label),
    ]),
  );
}

/** After a release everything has been measured that alerts and dashboard ask for. */
describe('alerts and dashboard', () => {
  let exposed: ReadonlySet<string>;
  beforeAll(async () => {
    await using controller = await WorldController.start(['--mode=fence']);
    controller.world.powerOff('node-a');
    await until('a release', 30_000, () =>
      controller.logger.lines.some(({ message }) => message === 'Released stale attachment'),
    );
    exposed = exposedIn(await (await fetch(`${controller.url}/metrics`)).text());
  }, 60_000);

  it.each(queries)('%s asks for metrics and labels that there are: %s', (_, expr) => {
    const names = namesIn(expr);
    expect(names.length).toBeGreaterThan(0);
    expect(names.filter((name) => !exposed.has(name))).toEqual([]);
  });
});

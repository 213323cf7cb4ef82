import { describe, expect, it } from 'vitest';
import { documents } from '../documents.ts';

const all = documents();
const textOf = (path: string) => all.find((each) => each.path === path)?.text ?? '';
/** Checked against the code: by the test of the metrics and by the README's own. */
const metricsAndLabels = textOf('docs/telemetry.md').match(/`reattach_\w+`/g) ?? [];
const knownNames = new Set(metricsAndLabels.map((name) => name.slice(1, -1)));
const readme = textOf('apps/controller/README.md');
const knownFlags = new Set(readme.match(/--[a-z][a-z-]*/g));
const knownVariables = new Set(readme.match(/\bREATTACH_[A-Z_]+/g));

/** Flags of each command line `reattach ...` or `kubectl reattach ...`. */
function flagsIn(text: string): readonly string[] {
  const lines = text.replaceAll(/\\\n/g, ' ').split('\n');
  const commands = lines.flatMap(
    (line) => line.match(/(?<=(?:^\s*(?:\$ )?|`)(?:kubectl )?reattach )[a-z-][^`|#]*/g) ?? [],
  );
  return commands.flatMap((command) => command.match(/(?<=^|\s)--[a-z][a-z-]*/g) ?? []);
}

describe.each(all.map(({ path, text }) => [path, text] as const))('%s', (_path, text) => {
  it('names only metrics and labels that there are', () => {
    const named = (text.match(/\breattach_\w+/g) ?? []).map((name) =>
      name.replace(/_(?:bucket|sum|count)$/, ''),
    );
    expect(named.filter((name) => !knownNames.has(name))).toEqual([]);
  });

  it('names only flags and variables of reattach that there are', () => {
    expect(flagsIn(text).filter((flag) => !knownFlags.has(flag))).toEqual([]);
    const variables = text.match(/\bREATTACH_[A-Z_]+/g) ?? [];
    expect(variables.filter((name) => !knownVariables.has(name))).toEqual([]);
  });
});

describe('the check itself', () => {
  it('knows names, and finds flags across lines', () => {
    expect([knownNames.size > 30, knownFlags.size > 30, knownVariables.size > 30]).toEqual([
      true,
      true,
      true,
    ]);
    expect(flagsIn('$ reattach doctor --a-b=1 \\\n  --c | grep --d\nsee `kubectl reattach run --e`')).toEqual(
      ['--a-b', '--c', '--e'],
    );
  });
});

import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { documentedOptions } from './chart/config-schema.ts';
import { documentedValues } from './chart/values-table.ts';
import { documents, ROOT } from './documents.ts';

/** What operators read; the READMEs of packages are for programmers, and the tables of telemetry have a test of their own. */
const OPERATORS = documents().filter(
  ({ path }) => /^(README\.md|docs\/[^/]+|deploy\/.*)$/.test(path) && path !== 'docs/telemetry.md',
);

const controllerReadme = readFileSync(join(ROOT, 'apps/controller/README.md'), 'utf8');
/** Flags by command, from the table that a test of the controller holds equal to the code. */
const commands = new Map<string, string>([
  ['run', ''],
  ...[...controllerReadme.matchAll(/^\| `reattach ([a-z-]+)[^`]*` \|(.*)$/gm)].map(
    ([, name = '', rest = '']) => [name, rest] as const,
  ),
]);
const options = documentedOptions();
const keys = new Set([
  ...options.map(({ key }) => key),
  ...documentedValues().map(({ key }) => key),
  'config.backends',
]);
const groups = new Set([...keys].filter((key) => key.includes('.')).map((key) => key.split('.')[0] ?? ''));
const sources = globSync('packages/*/src/**/*.ts', { cwd: ROOT })
  .map((path) => readFileSync(join(ROOT, path), 'utf8'))
  .join('\n');

/** Lines of code blocks, and code in text. */
function codeIn(text: string): readonly string[] {
  const blocks = [...text.matchAll(/^```\w*\n([^]*?)^```$/gm)].flatMap(([, code = '']) => code.split('\n'));
  const inline = [...text.replaceAll(/^```[^]*?^```$/gm, '').matchAll(/`([^`\n]+)`/g)];
  return [...blocks, ...inline.map(([, code = '']) => code)];
}

/** Every call of our command, without what follows it in the line. */
function callsIn(code: string): readonly string[] {
  return [...code.matchAll(/(?:^|[$;&|]\s*)reattach ([a-z][^;&|>#]*)/g)].map(([, call = '']) => call.trim());
}

function unknownIn(call: string): readonly string[] {
  const [name = '', ...args] = call.split(/\s+/);
  const own = commands.get(name);
  if (own === undefined) return [name];
  const flags = args.filter((arg) => arg.startsWith('--')).map((arg) => arg.split('=')[0] ?? '');
  return flags.filter((flag) => !own.includes(flag) && !options.some((option) => option.flag === flag));
}

function isUnknownKey(code: string): boolean {
  const [token = ''] = code.split(/[:=\s]/);
  if (/^[a-z]\w*Ms$/.test(token)) return !keys.has(token);
  if (!/^[a-z]\w*(?:\.[a-z]\w*)+$/i.test(token)) return false;
  const own = token.replace(/^config\./, '');
  if (!groups.has(own.split('.')[0] ?? '')) return false;
  return ![...keys].some((key) => key === token || key === own || key.startsWith(`${own}.`));
}

describe('names in documents for operators', () => {
  it('are looked for in all of them', () => {
    expect(OPERATORS.map(({ path }) => path)).toEqual(
      expect.arrayContaining([
        'README.md',
        'docs/runbook.md',
        'docs/quick-start.md',
        'deploy/chart/README.md',
      ]),
    );
    expect([...commands.keys()]).toEqual(expect.arrayContaining(['run', 'status', 'doctor', 'explain']));
  });

  it.each(OPERATORS)('of $path: commands and flags exist', ({ text }) => {
    expect(codeIn(text).flatMap(callsIn).flatMap(unknownIn)).toEqual([]);
  });

  it.each(OPERATORS)('of $path: options and values exist', ({ text }) => {
    expect(codeIn(text).filter(isUnknownKey)).toEqual([]);
  });

  it.each(OPERATORS)('of $path: annotations and taints exist', ({ text }) => {
    const names = [...text.matchAll(/reattach\.srvlab\.io\/[a-z-]+/g)].map(([name]) => name);
    expect(names.filter((name) => !sources.includes(`'${name}'`))).toEqual([]);
  });

  it.each([
    ['reattach stats', ['stats']],
    ['$ reattach status --everything', ['--everything']],
    ['kill $!; reattach run --mode=fence --modes=x', ['--modes']],
    ['helm install reattach deploy/chart', []],
    ['reattach unfence NODE --force', []],
  ])('%s would be refused for %j', (code, unknown) => {
    expect(callsIn(code).flatMap(unknownIn)).toEqual(unknown);
  });

  it.each([
    ['rds.maxQuiesceMs', false],
    ['config.fence.neverFence', false],
    ['otherDrivers: hold', false],
    ['networkPolicy.backendPorts', false],
    ['fence.quiesce', true],
    ['networkPolicy.ports', true],
    ['gracePeriodsMs', true],
    ['status.volumesInUse', false],
  ])('%s is unknown: %j', (code, unknown) => {
    expect(isUnknownKey(code)).toBe(unknown);
  });
});

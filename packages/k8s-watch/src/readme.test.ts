import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { INSTRUMENTS, RECONNECT_REASONS } from './telemetry/instruments.ts';

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8');
const README = read('../README.md');

describe('README', () => {
  it('has the example that the compiler has seen', () => {
    const example = read('../test/readme-example.ts').replace("'../src/index.ts'", "'@reattach/k8s-watch'");
    expect(README).toContain(`\`\`\`ts\n${example}\`\`\``);
  });

  it('lists every metric with its unit, and every reason', () => {
    for (const { name, unit } of Object.values(INSTRUMENTS))
      expect(README).toContain(`| \`${name}\` | \`${unit}\` |`);
    for (const reason of RECONNECT_REASONS) expect(README).toContain(`\`${reason}\``);
  });

  it('lists every option', () => {
    const sources = [read('./informer.ts'), read('./kube-caches.ts')].join('\n');
    const interfaces =
      sources.match(/export interface (?:Informer|KubeCaches)Options[^{]*\{[^]*?\n\}/g) ?? [];
    const names = interfaces.flatMap((text) =>
      [...text.matchAll(/^ {2}readonly (\w+)\??:/gm)].map((m) => m[1]),
    );
    expect(names).toEqual(expect.arrayContaining(['path', 'idleTimeoutMs', 'watchLeases']));
    for (const name of names) expect(README).toContain(`\`${name}\``);
  });
});

import { readFileSync } from 'node:fs';
import { rdsDescriptor } from '@reattach/rds-client';
import { describe, expect, it } from 'vitest';
import { probeScript } from './probe-script.ts';

const PROBES = rdsDescriptor.probeScript?.split('\n') ?? [];

const DOCUMENT = readFileSync(new URL('../../../../docs/routeros.md', import.meta.url), 'utf8');

describe('probeScript', () => {
  it('asks the backend everything, each command quoted for the shell', () => {
    const script = probeScript([
      {
        kind: 'rds',
        name: 'x',
        settings: { address: { host: 'backend.example.org', port: 2222 }, user: "o'neill" },
      },
    ]);
    expect(script).toContain(
      String.raw`ssh -T -p 2222 'o'\''neill@backend.example.org' ':put [/system/resource get version]'`,
    );
    expect(script.match(/^ssh /gm)).toHaveLength(PROBES.length);
  });

  it('changes nothing at the backend', () => {
    for (const probe of PROBES) expect(probe).not.toMatch(/\b(add|remove|set|enable|disable|move)\b/);
  });

  it('is described in docs/routeros.md', () => {
    expect(DOCUMENT).toContain('reattach doctor --print-probes');
  });
});

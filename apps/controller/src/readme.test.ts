import { readFileSync } from 'node:fs';
import { systemClock } from '@reattach/core';
import { describe, expect, it } from 'vitest';
import { auditRoutes } from './audit/audit-routes.ts';
import { commandsTable, exitCodesTable, helpText, optionsTable } from './cli/help-text.ts';
import { EXIT, EXIT_MEANINGS } from './exit-code.ts';
import { ENDPOINTS, endpointsTable } from './http/endpoints.ts';
import { pageRoutes } from './http/page-routes.ts';
import { stateRoutes } from './state/state-routes.ts';

const README = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

function unused(): never {
  throw new Error('Expected not to be called');
}

describe('README', () => {
  it.each([
    ['options', optionsTable()],
    ['commands', commandsTable()],
    ['exit codes', exitCodesTable()],
    ['endpoints', endpointsTable()],
  ])('has the table of %s that the code has', (_what, table) => {
    expect(README).toContain(`\n\n${table}\n\n`);
  });

  it('describes every endpoint that is served, and no other', () => {
    const routes = [
      ...stateRoutes({ report: unused, reconcile: unused, leading: unused, clock: systemClock }),
      ...auditRoutes({ history: unused }),
      ...pageRoutes().filter(({ path }) => !path.startsWith('/page/')),
    ];
    const probes = ['GET /livez', 'GET /readyz', 'GET /metrics'];
    expect(ENDPOINTS.map(({ method, path }) => `${method} ${path}`).toSorted()).toEqual(
      [...probes, ...routes.map(({ method, path }) => `${method} ${path}`)].toSorted(),
    );
  });

  it('names every command that it shows in an example', () => {
    const named = [...README.matchAll(/reattach ([a-z]+)/g)].map(([, name]) => name);
    for (const name of named) expect(helpText()).toContain(`reattach ${name}`);
  });
});

describe('helpText', () => {
  it('has every exit code with its meaning', () => {
    for (const [name, meaning] of Object.entries(EXIT_MEANINGS)) {
      const code = Object.entries(EXIT).find(([each]) => each === name)?.[1];
      expect(helpText()).toContain(`  ${code}  ${meaning.replaceAll('`', '')}`);
    }
  });
});

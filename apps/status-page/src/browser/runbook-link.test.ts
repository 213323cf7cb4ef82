import { describe, expect, it } from 'vitest';
import { runbookLink } from './runbook-link.ts';

describe('runbookLink', () => {
  it('leads to the entry of the reason', () => {
    expect(runbookLink('https://example.org/runbook.md', 'mass-failure')).toEqual({
      text: 'What to do about mass-failure',
      href: 'https://example.org/runbook.md#mass-failure',
    });
  });

  it.each([undefined, '', 'docs/runbook.md', 'javascript:alert(1)'])('is absent for %s', (url) => {
    expect(runbookLink(url, 'dry-run')).toBeUndefined();
  });
});

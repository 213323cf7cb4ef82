import { describe, expect, it } from 'vitest';
import { connectionFix } from './connection-fix.ts';

describe('connectionFix', () => {
  it.each([
    ['BAD_HOST_KEY: expected SHA256:a, got SHA256:b', /hostKey/],
    ['AUTH_REFUSED: user reattach was refused', /privateKeyFile/],
    ['UNAVAILABLE: connect ECONNREFUSED 10.0.0.10:22', /port in rds\.address/],
    ['UNAVAILABLE: getaddrinfo ENOTFOUND backend.example.org', /DNS/],
    ['TIMEOUT: connecting took longer than 10 s', /firewalls/],
  ])('%s has a fix of its own', (detail, fix) => {
    expect(connectionFix('rds', detail)).toMatch(fix);
  });

  it('gives every kind of failure another fix', () => {
    const fixes = ['BAD_HOST_KEY', 'AUTH_REFUSED', 'ECONNREFUSED', 'ENOTFOUND', 'EHOSTUNREACH'].map((text) =>
      connectionFix('rds', text),
    );
    expect(new Set(fixes).size).toBe(5);
    expect(connectionFix('rds', 'something else')).toBeUndefined();
  });
});

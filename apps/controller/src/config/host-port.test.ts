import { describe, expect, it } from 'vitest';
import { formatHostPort, parseHostPort } from './host-port.ts';

describe('parseHostPort', () => {
  it.each([
    ['backend.example.org', 22, { host: 'backend.example.org', port: 22 }],
    ['10.0.0.5:2222', 22, { host: '10.0.0.5', port: 2222 }],
    ['fd00::2', 22, { host: 'fd00::2', port: 22 }],
    ['[fd00::2]', 22, { host: 'fd00::2', port: 22 }],
    ['[fd00::2]:2222', 22, { host: 'fd00::2', port: 2222 }],
    ['fe80::1%eth0', 22, { host: 'fe80::1%eth0', port: 22 }],
    ['[::]:9808', undefined, { host: '::', port: 9808 }],
    ['backend', undefined, undefined],
    ['::', undefined, undefined],
    ['backend:', 22, undefined],
    ['backend:65536', 22, undefined],
    ['ssh://backend', 22, undefined],
    ['two words', 22, undefined],
    ['', 22, undefined],
  ])('%s with default port %s -> %j', (text, defaultPort, expected) => {
    expect(parseHostPort(text, defaultPort)).toEqual(expected);
  });
});

describe('formatHostPort', () => {
  it('puts an IPv6 address in brackets', () => {
    expect(formatHostPort({ host: '::1', port: 80 })).toBe('[::1]:80');
    expect(formatHostPort({ host: 'backend', port: 80 })).toBe('backend:80');
  });
});

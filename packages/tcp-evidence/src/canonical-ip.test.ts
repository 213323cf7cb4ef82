import { describe, expect, it } from 'vitest';
import { canonicalIp } from './canonical-ip.ts';

describe('canonicalIp', () => {
  it.each([
    ['10.0.5.1', '10.0.5.1'],
    ['10.0.5.1/32', '10.0.5.1'],
    ['::ffff:10.0.5.1', '10.0.5.1'],
    ['::FFFF:10.0.5.1/128', '10.0.5.1'],
    ['FD00:0:0::1', 'fd00::1'],
    ['fd00::1/128', 'fd00::1'],
    [' 10.0.5.1 ', '10.0.5.1'],
  ])('%s -> %s', (text, address) => {
    expect(canonicalIp(text)).toBe(address);
  });

  it.each([
    '',
    '10.0.5',
    '10.0.5.0/24',
    '10.0.5.1/128',
    '10.0.5.1/32/32',
    'node-a',
    'fd00::/64',
    'fe80::1%ether1',
    '010.0.5.1',
  ])('%j -> none', (text) => {
    expect(canonicalIp(text)).toBeUndefined();
  });
});

import { describe, expect, it } from 'vitest';
import { normaliseAddress, parseEndpoint } from './ip-address.ts';

describe('normaliseAddress', () => {
  it.each([
    ['10.0.5.1', '10.0.5.1'],
    ['10.0.5.1/32', '10.0.5.1'],
    ['::ffff:10.0.5.1', '10.0.5.1'],
    ['::FFFF:10.0.5.1/128', '10.0.5.1'],
    ['FD00:0:0::1', 'fd00::1'],
    ['fd00::1/128', 'fd00::1'],
    [' 10.0.5.1 ', '10.0.5.1'],
  ])('%s -> %s', (text, address) => {
    expect(normaliseAddress(text)).toBe(address);
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
    expect(normaliseAddress(text)).toBeUndefined();
  });
});

describe('parseEndpoint', () => {
  it.each([
    ['10.0.5.1', { address: '10.0.5.1' }],
    ['10.0.5.1:48984', { address: '10.0.5.1', port: 48_984 }],
    ['::ffff:10.0.5.1:48984', { address: '10.0.5.1', port: 48_984 }],
    ['[fd00::1]:48984', { address: 'fd00::1', port: 48_984 }],
    ['fd00::1', { address: 'fd00::1' }],
  ])('%s', (text, endpoint) => {
    expect(parseEndpoint(text)).toEqual(endpoint);
  });

  it.each(['', ':1', '10.0.5.1:', '10.0.5.1:99999', 'x:1'])('%j -> none', (text) => {
    expect(parseEndpoint(text)).toBeUndefined();
  });
});

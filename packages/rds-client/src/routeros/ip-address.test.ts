import { describe, expect, it } from 'vitest';
import { parseEndpoint, parseInterfaceAddress } from './ip-address.ts';

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

describe('parseInterfaceAddress', () => {
  it.each([
    ['10.0.0.10/24', '10.0.0.10'],
    ['10.0.0.10', '10.0.0.10'],
    ['fd00::10/64', 'fd00::10'],
    ['ether1', undefined],
  ])('%s', (text, address) => {
    expect(parseInterfaceAddress(text)).toBe(address);
  });
});

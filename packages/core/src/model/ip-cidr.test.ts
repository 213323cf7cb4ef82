import { describe, expect, it } from 'vitest';
import { isInCidr } from './ip-cidr.ts';

describe('isInCidr', () => {
  it.each([
    ['10.0.5.1', '10.0.0.0/16', true],
    ['10.1.5.1', '10.0.0.0/16', false],
    ['10.0.5.1', '10.0.5.1', true],
    ['10.0.5.1', '0.0.0.0/0', true],
    ['10.0.5.1', '10.0.5.0/30', true],
    ['10.0.5.4', '10.0.5.0/30', false],
    ['fd00::1', 'fd00::/8', true],
    ['fe80::1', 'fd00::/8', false],
    ['fd00:0:0:1::2', 'fd00:0:0:1::/64', true],
    ['10.0.5.1', 'fd00::/8', false],
    ['10.0.5', '10.0.0.0/8', false],
    ['10.0.5.256', '10.0.0.0/8', false],
    ['10.0.5.1', '10.0.0.0/33', false],
    ['host', '10.0.0.0/8', false],
    ['a::b::c', 'fd00::/8', false],
  ])('%s in %s -> %j', (address, cidr, expected) => {
    expect(isInCidr(address, cidr)).toBe(expected);
  });
});

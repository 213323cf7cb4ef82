import { describe, expect, it } from 'vitest';
import { addressValue, commentValue, nonceValue, portValue } from './values.ts';

describe('addressValue', () => {
  it('is the address as the backend stores it', () => {
    expect(addressValue('::ffff:10.0.5.1/128')).toBe('10.0.5.1');
  });

  it.each(['', '10.0.5.0/24', '10.0.5.1; /system/reboot', 'fd00::1', '10.0.5.1\n'.repeat(2)])(
    'refuses %j',
    (text) => {
      expect(() => addressValue(text)).toThrow(
        expect.objectContaining({ code: 'INVALID_VALUE', outcome: 'not-applied' }),
      );
    },
  );
});

describe('commentValue', () => {
  it('puts quotes around it', () => {
    expect(commentValue('reattach/1 id=00c0ffee')).toBe('"reattach/1 id=00c0ffee"');
  });

  it.each(['', 'a"b', 'a$b', 'a\\b', 'a;b', 'a[b', 'a{b', 'a\nb', 'a\r', 'é', 'a?b', 'x'.repeat(481)])(
    'refuses %j',
    (text) => {
      expect(() => commentValue(text)).toThrow(/INVALID_VALUE/);
    },
  );
});

describe('portValue', () => {
  it.each([0, 65_536, 1.5, Number.NaN])('refuses %d', (port) => {
    expect(() => portValue(port)).toThrow(/INVALID_VALUE/);
  });
});

describe('nonceValue', () => {
  it.each(['', '0123456789ABCDEF', '0123456789abcde', '"; :put 1'])('refuses %j', (nonce) => {
    expect(() => nonceValue(nonce)).toThrow(/INVALID_VALUE/);
  });
});

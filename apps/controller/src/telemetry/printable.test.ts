import { describe, expect, it } from 'vitest';
import { printable, printableDeep, printableLines } from './printable.ts';

const CLEAR = '\u001B[2J\u001B[H';

describe('printable', () => {
  it.each([
    ['clears the screen', CLEAR, '\\x1b[2J\\x1b[H'],
    ['sets the title', '\u001B]0;owned\u0007', '\\x1b]0;owned\\x07'],
    ['uses 8-bit controls', '\u009B2J', '\\x9b2J'],
    ['returns to the start of the line', 'a\rb', 'a\\x0db'],
    ['forges a line', 'a\nb\u2028c', 'a\\x0ab\\u{2028}c'],
    ['reverses text', 'a\u202Ecba', 'a\\u{202e}cba'],
    ['hides characters', 'a\u200Bb', 'a\\u{200b}b'],
    ['is half a character', 'a\uD800b', 'a\\u{d800}b'],
    ['is harmless', 'größer → 10 % 日本', 'größer → 10 % 日本'],
  ])('text that %s', (_what, text, shown) => {
    expect(printable(text)).toBe(shown);
  });

  it('shortens', () => {
    expect(printable('x'.repeat(10_000))).toHaveLength(501);
  });
});

describe('printableDeep', () => {
  it('reaches every text of a value', () => {
    const value = { a: [CLEAR, { [CLEAR]: CLEAR }], n: 1, b: true, none: null };
    expect(JSON.stringify(printableDeep(value))).not.toContain('\\u001b');
    expect(printableDeep({ n: 1, b: true, none: null })).toEqual({ n: 1, b: true, none: null });
  });
});

describe('printableLines', () => {
  it('keeps lines and colours and nothing else', () => {
    expect(printableLines(`a\n\u001B[31mred\u001B[0m\t${CLEAR}\r`)).toBe(
      'a\n\u001B[31mred\u001B[0m\t\\x1b[2J\\x1b[H\\x0d',
    );
  });
});

import { describe, expect, it } from 'vitest';
import { ScriptError } from './script-error.ts';
import { tokenize } from './tokenizer.ts';

/** Tokens as short texts: words and symbols as they are, strings quoted, variables with `$`. */
function shorts(source: string): string[] {
  return tokenize(source).flatMap((token) => {
    if (token.kind === 'end') return [];
    if (token.kind === 'variable') return [`$${token.name}`];
    if (token.kind !== 'string') return [token.text];
    return [
      JSON.stringify(
        token.parts.map((part) => (part.kind === 'text' ? part.text : `$${part.name}`)).join('|'),
      ),
    ];
  });
}

describe('tokenize', () => {
  it.each([
    ['/ip/firewall/raw/add chain=prerouting', ['/ip/firewall/raw/add', 'chain', '=', 'prerouting']],
    ['where a=b and c!=d', ['where', 'a', '=', 'b', 'and', 'c', '!=', 'd']],
    ['slot~"^pvc-"', ['slot', '~', '"^pvc-"']],
    ['$x->0->"size"', ['$x', '->', '0', '->', '"size"']],
    ['("a=" . [:len $b])', ['(', '"a="', '.', '[', ':len', '$b', ']', ')']],
    ['10.0.5.1:48984 10.0.0.0/8 *2B', ['10.0.5.1:48984', '10.0.0.0/8', '*2B']],
    ['{a;b}\n# nothing\nc', ['{', 'a', ';', 'b', '}', ';', ';', 'c']],
    ['a<=1 b>=2 !c && d||e', ['a', '<=', '1', 'b', '>=', '2', '!', 'c', '&&', 'd', '||', 'e']],
    ['"in $name now"', ['"in |$name| now"']],
    ['$a-b $"c-d"', ['$a', '-b', '$c-d']],
    ['', []],
  ])('%s', (source, tokens) => {
    expect(shorts(source)).toEqual(tokens);
  });

  it('resolves escapes', () => {
    expect(shorts('"\\"\\\\\\$\\?\\_\\n\\r\\t\\41"')).toEqual([JSON.stringify('"\\$? \n\r\tA')]);
  });

  it('knows the offset of a token and whether a blank comes before', () => {
    expect(tokenize('a =b').map(({ at, spaced }) => [at, spaced])).toEqual([
      [0, true],
      [2, true],
      [3, false],
      [4, false],
    ]);
  });

  it.each([
    ['"open', 'incomplete', 'expected closing quote (line 1 column 1)'],
    ['a "x\\', 'incomplete', 'expected closing quote (line 1 column 5)'],
    ['a "\\q"', 'syntax', 'invalid escape sequence (line 1 column 4)'],
    ['a $', 'syntax', 'syntax error (line 1 column 3)'],
    ['a \u0001', 'syntax', 'syntax error (line 1 column 3)'],
  ])('%j -> %s', (source, kind, message) => {
    expect(() => tokenize(source)).toThrow(expect.objectContaining({ name: 'ScriptError', kind, message }));
    expect(() => tokenize(source)).toThrow(ScriptError);
  });
});

import { describe, expect, it } from 'vitest';
import { type Expectation, type Parsed, parseReply, type Reply } from './reply.ts';

const NONCE = '0123456789abcdef';
const END = `END-${NONCE}\r\n`;
const TWO: readonly Expectation[] = [{ label: 'resource' }, { label: 'exports' }];

function parse(text: string, expected: readonly Expectation[] = TWO): Parsed<Reply> {
  return parseReply(Buffer.from(text), NONCE, expected);
}

const FULL = `resource={"version":"7.24.2"}\r\nexports=[{"slot":"a"},{"slot":"b"}]\r\n${END}`;

describe('parseReply', () => {
  it('takes the rows of each label', () => {
    expect(parse(FULL)).toEqual({
      ok: true,
      value: new Map([
        ['resource', [{ version: '7.24.2' }]],
        ['exports', [{ slot: 'a' }, { slot: 'b' }]],
      ]),
    });
  });

  it('tolerates plain line ends and blank lines', () => {
    expect(parse(`${FULL.replaceAll('\r', '').replace('\n', '\n\n')}\n`).ok).toBe(true);
  });

  it.each([
    ['an empty result', '[]', []],
    ['an empty result as text', '""', []],
    ['one record without its array', '{"slot":"a"}', [{ slot: 'a' }]],
  ])('takes %s', (_, json, rows) => {
    expect(parse(`exports=${json}\r\n${END}`, [{ label: 'exports' }])).toEqual({
      ok: true,
      value: new Map([['exports', rows]]),
    });
  });

  it('believes a reply with a comment in another code page, and reads the rest of it', () => {
    const bytes = Buffer.from(`exports=[{"slot":"a","comment":"B?ro"}]\r\n${END}`);
    bytes[bytes.indexOf('?')] = 0xfc;
    expect(parseReply(bytes, NONCE, [{ label: 'exports' }])).toEqual({
      ok: true,
      value: new Map([['exports', [{ slot: 'a', comment: 'B\ufffdro' }]]]),
    });
  });

  it('joins several lines of one label', () => {
    const expected = [{ label: 'sessions' }, { label: 'sessions' }];
    const parsed = parse(`sessions=[{"a":1}]\r\nsessions=[{"a":2}]\r\n${END}`, expected);
    expect(parsed).toEqual({ ok: true, value: new Map([['sessions', [{ a: 1 }, { a: 2 }]]]) });
  });

  it('takes records of the second dialect, any number of them', () => {
    const expected = [
      { label: 'exports', fields: ['slot', 'size'] },
      { label: 'fences', fields: ['address'] },
    ];
    expect(parse(`exports|a|1\r\nexports|b|\r\n${END}`, expected)).toEqual({
      ok: true,
      value: new Map([
        [
          'exports',
          [
            { slot: 'a', size: '1' },
            { slot: 'b', size: '' },
          ],
        ],
        ['fences', []],
      ]),
    });
  });

  it('knows a silent effect by its end marker alone', () => {
    expect(parse(END, [])).toEqual({ ok: true, value: new Map() });
  });

  it.each([
    ['nothing', '', 'INCOMPLETE'],
    ['no end marker', FULL.replace(END, ''), 'INCOMPLETE'],
    ['the end marker of another command', FULL.replace(NONCE, 'f'.repeat(16)), 'INCOMPLETE'],
    ['an end marker without its line end', FULL.slice(0, -2), 'INCOMPLETE'],
    ['something after the end marker', `${FULL}more\r\n`, 'MALFORMED'],
    ['half a line after the end marker', `${FULL}mo`, 'MALFORMED'],
    ['a label that is missing', `resource={}\r\n${END}`, 'MALFORMED'],
    ['labels in another order', `exports=[]\r\nresource={}\r\n${END}`, 'MALFORMED'],
    ['a line twice', FULL.replace('exports', 'exports=[]\r\nexports'), 'MALFORMED'],
    [
      'a log line in between',
      FULL.replace('exports', '17:20:06 echo: system,info x\r\nexports'),
      'MALFORMED',
    ],
    ['cut JSON', FULL.replace('"b"}]', '"b'), 'MALFORMED'],
    ['a scalar', FULL.replace(/exports=.*/, 'exports=5'), 'MALFORMED'],
    ['a list of scalars', FULL.replace(/exports=.*/, 'exports=[5]'), 'MALFORMED'],
    ['garbage', `\0\u0001\u0002${FULL}`, 'MALFORMED'],
    ['an error text', `failure: already have such entry\r\n`, 'REFUSED'],
    ['an error text before the end marker', `no such item\r\n${END}`, 'REFUSED'],
    ['an error text after a line', `resource={}\r\nnot enough permissions (9)\r\n`, 'REFUSED'],
  ])('refuses %s', (_, text, code) => {
    expect(parse(text)).toEqual({ ok: false, fault: { code, detail: expect.any(String) } });
  });

  it('refuses a record with a value too many', () => {
    expect(parse(`exports|a|b\r\n${END}`, [{ label: 'exports', fields: ['slot'] }])).toMatchObject({
      ok: false,
    });
  });

  it.each([
    'expected end of command (line 1 column 19)',
    'bad parameter detail (line 1 column 27)',
    'syntax error (line 1 column 10)',
    'bad command name nonsense (line 1 column 2)',
    'expected command name (line 1 column 8)',
    'input does not match any value of interface',
    'no such item',
    'expected item id',
    'ambiguous value of number',
    'failure: not allowed by device-mode',
    'failure: maximum message size exceeded',
    'std failure: not allowed (9)',
    'Script Error: interrupted',
    'invalid value foo for argument address',
  ])('recognises %j and quotes it', (line) => {
    expect(parse(`${line}\r\n`)).toEqual({
      ok: false,
      fault: { code: 'REFUSED', detail: JSON.stringify(line) },
    });
  });

  it('quotes at most a short printable piece of the reply', () => {
    const parsed = parse(`failure: ${'x\u001b'.repeat(500)}\r\n`);
    expect(parsed.ok ? '' : parsed.fault.detail).toMatch(/^"failure: (x\?)+x?\.\.\."$/);
    expect(parsed.ok ? 0 : parsed.fault.detail.length).toBeLessThan(130);
  });
});

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Expectation, parseReply, type Row } from './reply.ts';
import {
  parseExports,
  parseFenceEntries,
  parseRawRules,
  parseResource,
  parseSessions,
  parseStats,
  parseTracking,
} from './rows.ts';

const NONCE = '0123456789abcdef';

const PARSERS = [
  parseResource,
  parseTracking,
  (rows: readonly Row[]) => parseSessions(rows, [4420]),
  parseFenceEntries,
  parseRawRules,
  (rows: readonly Row[]) => ({ ok: true, value: parseStats(rows) }),
  (rows: readonly Row[]) => parseExports(rows, true),
];

const value = fc.oneof(
  fc.string(),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
  fc.constant('1d'),
  fc.constant('10.0.5.1'),
);
const key = fc.constantFrom(
  'slot',
  'version',
  'uptime',
  'enabled',
  'timeout',
  'src-address',
  'dst-address',
  'dst-port',
  'tcp-state',
  'address',
  'disabled',
  'dynamic',
  'action',
  'nvme-tcp-server-port',
  'tcp-established-timeout',
  '__proto__',
);
const row = fc.dictionary(key, fc.oneof(value, fc.jsonValue()));

/** A reply of the first or the second dialect, as a backend would print it. */
const goodReply = fc
  .array(
    fc.oneof(
      fc
        .record({ label: fc.constantFrom('exports', 'raw'), rows: fc.array(row, { maxLength: 3 }) })
        .map(({ label, rows }) => ({
          expectation: { label } as Expectation,
          lines: [`${label}=${JSON.stringify(rows)}`],
        })),
      fc.array(fc.stringMatching(/^[A-Za-z0-9 ._-]*$/), { maxLength: 3 }).map((values) => ({
        expectation: { label: 'fences', fields: ['address'] } as Expectation,
        lines: values.map((text) => `fences|${text}`),
      })),
    ),
    { minLength: 1, maxLength: 4 },
  )
  .map((parts) => ({
    expected: parts.map(({ expectation }) => expectation),
    text: [...parts.flatMap(({ lines }) => lines), `END-${NONCE}`, ''].join('\r\n'),
  }));

describe('a reply', () => {
  it('of arbitrary bytes is never believed and never makes the parser throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), goodReply, (bytes, { expected }) => {
        expect(parseReply(bytes, NONCE, expected).ok).toBe(false);
      }),
    );
  });

  it('that is whole is believed', () => {
    fc.assert(
      fc.property(goodReply, ({ text, expected }) => {
        expect(parseReply(Buffer.from(text), NONCE, expected).ok).toBe(true);
      }),
    );
  });

  it('that is cut at any byte is refused', () => {
    fc.assert(
      fc.property(goodReply, ({ text, expected }) => {
        const bytes = Buffer.from(text);
        for (let length = 0; length < bytes.length; length++) {
          expect(parseReply(bytes.subarray(0, length), NONCE, expected).ok).toBe(false);
        }
      }),
    );
  });

  it('into which a line slipped is refused', () => {
    const foreign = fc
      .stringMatching(/^[ -~]+$/)
      .filter((line) => !/^(exports|raw|fences)[=|]|^END-/.test(line));
    fc.assert(
      fc.property(goodReply, foreign, fc.nat(), ({ text, expected }, line, at) => {
        const lines = text.split('\r\n');
        lines.splice(at % (lines.length - 1), 0, line);
        expect(parseReply(Buffer.from(lines.join('\r\n')), NONCE, expected).ok).toBe(false);
      }),
    );
  });
});

describe('rows', () => {
  it('of arbitrary content never make a parser throw, and no row is invented', () => {
    fc.assert(
      fc.property(fc.array(row, { maxLength: 4 }), (rows) => {
        const invented = PARSERS.map((parser) => parser(rows)).filter(
          (parsed) => 'value' in parsed && Array.isArray(parsed.value) && parsed.value.length > rows.length,
        );
        expect(invented).toEqual([]);
      }),
    );
  });
});

import { describe, expect, it } from 'vitest';
import { commandLine, packStatements } from './command-line.ts';
import {
  addFenceStatement,
  backendStatements,
  removeFenceStatement,
  serializeStatement,
  sessionStatements,
  statsStatement,
  versionStatement,
} from './queries.ts';

const NONCE = '0123456789abcdef';
const COMMENT = 'reattach/2 id=00c0ffee node=node-a uid=- boot=- m=- c=- o=- at=1767225600000';

describe('commandLine', () => {
  it('joins statements and ends with the marker', () => {
    expect(commandLine([addFenceStatement('10.0.5.1', COMMENT)], NONCE)).toEqual({
      text: `/ip/firewall/address-list/add list=reattach-fenced address=10.0.5.1 comment="${COMMENT}"; :put "END-${NONCE}"`,
      expected: [],
    });
    expect(commandLine([removeFenceStatement('10.0.5.1', COMMENT)], NONCE).text).toBe(
      `/ip/firewall/address-list/remove [find where list=reattach-fenced and address=10.0.5.1 and comment="${COMMENT}"]; :put "END-${NONCE}"`,
    );
  });

  it('is refused when it does not fit', () => {
    expect(() => commandLine(sessionStatements('serialize', [1, 2, 3, 4, 5, 6, 7], 22), NONCE)).toThrow(
      TypeError,
    );
  });

  it.each(['serialize', 'records'] as const)('fits each statement of the dialect %s', (dialect) => {
    const statements = [
      versionStatement(),
      serializeStatement(),
      statsStatement(dialect),
      ...backendStatements(dialect, true),
      ...sessionStatements(dialect, [65_535], 22),
      addFenceStatement('100.100.100.100', 'x'.repeat(480)),
      removeFenceStatement('100.100.100.100', 'x'.repeat(480)),
    ];
    for (const statement of statements)
      expect(commandLine([statement], NONCE).text.length).toBeLessThan(1_000);
  });
});

describe('packStatements', () => {
  it('reads a backend in one line, and the sessions of two ports with the counters in another', () => {
    expect(packStatements(backendStatements('serialize', true, [4420, 22]))).toHaveLength(1);
    const statements = [...sessionStatements('serialize', [4420, 4421], 22), statsStatement('serialize')];
    expect(packStatements(statements)).toHaveLength(1);
  });

  it('keeps every statement and its order, and each line fits', () => {
    const statements = sessionStatements(
      'serialize',
      Array.from({ length: 40 }, (_, index) => 4420 + index),
      22,
    );
    const lines = packStatements(statements);
    expect(lines.flat()).toEqual(statements);
    for (const line of lines) expect(commandLine(line, NONCE).text.length).toBeLessThanOrEqual(1_000);
  });
});

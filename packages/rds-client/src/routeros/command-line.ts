import type { Statement } from './queries.ts';
import type { Expectation } from './reply.ts';
import { nonceValue } from './values.ts';

/** RouterOS' buffer for a command over SSH is small; its size is not published, 1 kB is known to fit. */
const MAX_COMMAND_BYTES = 1_000;

/** One line to send. */
export interface CommandLine {
  readonly text: string;
  readonly expected: readonly Expectation[];
}

/** One line with its end marker, which prints only when everything before it went well. */
export function commandLine(statements: readonly Statement[], nonce: string): CommandLine {
  const text = [...statements.map((statement) => statement.text), `:put "END-${nonceValue(nonce)}"`].join(
    '; ',
  );
  if (Buffer.byteLength(text) > MAX_COMMAND_BYTES) {
    throw new TypeError(`A command of ${Buffer.byteLength(text)} bytes does not fit RouterOS' buffer`);
  }
  return { text, expected: statements.flatMap(({ expect }) => expect ?? []) };
}

/** Bytes of the end marker with the separator before it. */
const END_BYTES = '; :put "END-0123456789abcdef"'.length;

/** Statements in their order, in as few lines as they fit. */
export function packStatements(statements: readonly Statement[]): readonly (readonly Statement[])[] {
  const lines: Statement[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const statement of statements) {
    const more = Buffer.byteLength(statement.text) + '; '.length;
    bytes += more;
    if (bytes + END_BYTES > MAX_COMMAND_BYTES) {
      lines.push([]);
      bytes = more;
    }
    lines.at(-1)?.push(statement);
  }
  return lines;
}

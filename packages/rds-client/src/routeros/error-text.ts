/**
 * Texts RouterOS prints on stdout when it refuses a command, often with exit status 0.
 * `expected end of command (line 1 column 19)`, `failure: already have such entry`, `no such item`, ...
 */
const ERROR_TEXT =
  /\(line \d+ column \d+\)\s*$|^(failure:|std failure:|no such item|input does not match|bad (command name|parameter)|syntax error|expected |invalid value|ambiguous |not enough permissions|Script Error)/;

/** Whether a line that is none of ours is RouterOS refusing the command. */
export function isErrorText(line: string): boolean {
  return ERROR_TEXT.test(line);
}

/** One section of a reply. */
export interface Section {
  readonly status: string;
  readonly lines: readonly string[];
}

/** Reads a reply by the counts of PROTOCOL.md. @throws {TypeError} naming what does not agree */
export function parseReply(stdout: string, verb: string, nonce: string): ReadonlyMap<string, Section> {
  const lines = stdout.split('\n');
  const head = new RegExp(`^reattach-target 1 ${verb} ${nonce} (\\d+) (\\d+)$`).exec(lines[0] ?? '');
  if (!head)
    throw new TypeError(`First line ${JSON.stringify(lines[0])} is not the head of ${verb} ${nonce}`);
  const [, count, bytes] = head.map(Number);
  const tail = `end ${nonce}\n`;
  const body = stdout.slice(stdout.indexOf('\n') + 1, -tail.length);
  if (!stdout.endsWith(`\n${tail}`)) throw new TypeError(`The reply does not end in ${JSON.stringify(tail)}`);
  if (Buffer.byteLength(body) !== bytes)
    throw new TypeError(`${Buffer.byteLength(body)} bytes, not ${bytes}`);
  const rest = body.split('\n').slice(0, -1);
  if (rest.length !== count) throw new TypeError(`${rest.length} lines, not ${count}`);
  const sections = new Map<string, Section>();
  while (rest.length > 0) {
    const line = rest.shift() ?? '';
    const [, name = '', status = '', size] = /^@(\w+) (ok|missing|failed) (\d+)$/.exec(line) ?? [];
    if (size === undefined) throw new TypeError(`${JSON.stringify(line)} is not the head of a section`);
    sections.set(name, { status, lines: rest.splice(0, Number(size)) });
  }
  return sections;
}

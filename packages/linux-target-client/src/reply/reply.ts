/** Longest reply, bytes: `deploy/linux-target/PROTOCOL.md`, "Replies". */
export const MAX_REPLY_BYTES: number = 8 * 2 ** 20;

/** One section of a reply. `missing`: what it reads does not exist on this target. */
export interface Section {
  readonly status: 'ok' | 'missing' | 'failed';
  readonly lines: readonly string[];
}

/** A complete reply, by section name. */
export type Reply = ReadonlyMap<string, Section>;

/** Why a reply does not count. `refusal`: the target answered with an error and its code. */
export type ReplyFault =
  | { readonly kind: 'incomplete' | 'malformed'; readonly detail: string }
  | { readonly kind: 'refusal'; readonly code: string; readonly detail: string };

export type ParsedReply =
  | { readonly ok: true; readonly value: Reply }
  | { readonly ok: false; readonly fault: ReplyFault };

/**
 * Parses the standard output of one request. Never throws. A reply counts only when first line, counts and last line agree
 * with the request.
 * @see deploy/linux-target/PROTOCOL.md
 */
export function parseReply(stdout: Uint8Array, verb: string, nonce: string): ParsedReply {
  if (stdout.length > MAX_REPLY_BYTES + 4_096) return malformed(`the reply has ${stdout.length} bytes`);
  const text = new TextDecoder().decode(stdout);
  const lines = text.split('\n');
  if (lines.pop() !== '') return incomplete('the reply does not end with a newline');
  const head = (lines[0] ?? '').split(' ');
  if (head[0] !== 'reattach-target') return incomplete(`the reply begins with "${shortened(lines[0])}"`);
  if (head[1] !== '1') return malformed(`protocol version "${shortened(head[1])}", expected 1`);
  if (head[2] === 'error') return refusal(head, lines, nonce);
  if (lines.at(-1) !== `end ${nonce}`) return incomplete('the end marker of this request is missing');
  if (head[2] !== verb || head[3] !== nonce) return malformed('the reply belongs to another request');
  const body = lines.slice(1, -1);
  const byteCount = body.reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0);
  if (head[4] !== String(body.length) || head[5] !== String(byteCount)) {
    return malformed(
      `${body.length} lines and ${byteCount} bytes, but the reply announced ${head[4]} and ${head[5]}`,
    );
  }
  return sectionsOf(body);
}

function sectionsOf(body: readonly string[]): ParsedReply {
  const sections = new Map<string, Section>();
  let at = 0;
  while (at < body.length) {
    const line = body[at] ?? '';
    const [, name = '', status = '', count = ''] = /^@([a-z][a-z0-9-]*) (\S+) (\d{1,7})$/.exec(line) ?? [];
    if (name === '') return malformed(`expected a section, got "${shortened(line)}"`);
    if (status !== 'ok' && status !== 'missing' && status !== 'failed') {
      return malformed(`section ${name} has the status "${shortened(status)}"`);
    }
    const end = at + 1 + Number(count);
    if (end > body.length)
      return malformed(`section ${name} announces ${count} lines, ${body.length - at - 1} are left`);
    if (sections.has(name)) return malformed(`section ${name} comes twice`);
    sections.set(name, { status, lines: body.slice(at + 1, end) });
    at = end;
  }
  return { ok: true, value: sections };
}

function refusal(head: readonly string[], lines: readonly string[], nonce: string): ParsedReply {
  const own = head[3] === nonce || head[3] === '-';
  const isWhole = lines.length === 3 && lines[2] === `end ${head[3]}`;
  if (!own || !isWhole) return incomplete('the error reply is not complete');
  return { ok: false, fault: { kind: 'refusal', code: head[4] ?? '', detail: shortened(lines[1], 200) } };
}

function incomplete(detail: string): ParsedReply {
  return { ok: false, fault: { kind: 'incomplete', detail } };
}

function malformed(detail: string): ParsedReply {
  return { ok: false, fault: { kind: 'malformed', detail } };
}

/** Text of the target in a message: printable ASCII only, so that it cannot steer a terminal. */
function shortened(text = '', length = 60): string {
  return text.slice(0, length).replaceAll(/[^\x20-\x7e]/g, '?');
}

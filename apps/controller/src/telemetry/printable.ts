/** Longest text from outside that is shown in one place, characters. */
const MAX_CHARACTERS = 500;

/** Controls of terminals, line breaks, invisible characters, and those that reverse the direction of text. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}]/gu;

/**
 * Text from outside (an SSH banner, a message of the backend, the name of an object) made harmless for a terminal, a log for people,
 * `/readyz`, the page or an Event: what could move a cursor or hide is escaped, and what is too long is shortened.
 */
export function printable(text: string, maxCharacters: number = MAX_CHARACTERS): string {
  const shown = text.length > maxCharacters ? `${text.slice(0, maxCharacters)}…` : text;
  return shown.replaceAll(UNPRINTABLE, escaped);
}

/** The same for every text in a value of JSON, names of fields included. */
export function printableDeep<T>(value: T): T;
export function printableDeep(value: unknown): unknown {
  if (typeof value === 'string') return printable(value);
  if (Array.isArray(value)) return value.map((each: unknown) => printableDeep(each));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]: [string, unknown]) => [printable(name), printableDeep(each)]),
  );
}

/** Several lines of our own with text from outside in them. Keeps line breaks, tabs and colours. */
export function printableLines(text: string): string {
  return text.replaceAll(/\p{Cc}\[[0-9;]{0,10}m|[\n\t]|[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}]/gu, (found) =>
    found === '\n' || found === '\t' || isColour(found)
      ? found
      : found.length === 1
        ? escaped(found)
        : escaped(found) + found.slice(1),
  );
}

/** An escape sequence that only sets colours. */
function isColour(found: string): boolean {
  return found.charCodeAt(0) === 0x1b && found.endsWith('m');
}

function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
}

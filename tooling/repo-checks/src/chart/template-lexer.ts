import { TemplateError } from './template-error.ts';

/** Text to be copied, or what stands between `{{` and `}}`. */
export type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'action'; readonly tokens: readonly Token[]; readonly where: string };

/** One word of an action. A `field` is `.`, `.A.B`, `$`, `$.A` or `$name.A`. */
export type Token =
  | { readonly kind: 'word' | 'symbol' | 'field'; readonly text: string }
  | { readonly kind: 'literal'; readonly value: string | number | boolean };

const ACTION = /\{\{(-(?=\s))?\s*((?:"(?:[^"\\]|\\.)*"|[^"])*?)\s*((?<=\s)-)?\}\}/gy;
const COMMENT = /^\/\*[^]*\*\/$/;
const TOKEN =
  /\s*(?:(?<string>"(?:[^"\\]|\\.)*")|(?<number>\d+)|(?<field>\$?(?:[a-z_]\w*)?(?:\.\w+)+|\$\w*|\.)|(?<word>[a-zA-Z]\w*)|(?<symbol>:=|[|()]))/gy;

/** Splits a template; white space beside `{{-` and `-}}` is gone, comments are gone. @throws {TemplateError} */
export function lexTemplate(source: string, file: string): readonly Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  let trimsNext = false;
  const addText = (end: number, trimsEnd: boolean) => {
    let text = source.slice(at, end);
    if (trimsNext) text = text.trimStart();
    if (trimsEnd) text = text.trimEnd();
    if (text !== '') pieces.push({ kind: 'text', text });
  };
  for (;;) {
    const open = source.indexOf('{{', at);
    if (open === -1) break;
    const where = `${file}:${source.slice(0, open).split('\n').length}`;
    ACTION.lastIndex = open;
    const match = ACTION.exec(source);
    if (!match) throw new TemplateError('expected an action that ends with }}', where);
    const [whole, left, content = '', right] = match;
    addText(open, left !== undefined);
    trimsNext = right !== undefined;
    at = open + whole.length;
    if (!COMMENT.test(content)) pieces.push({ kind: 'action', tokens: lexAction(content, where), where });
  }
  addText(source.length, false);
  return pieces;
}

function lexAction(content: string, where: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < content.length) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(content);
    if (!match) throw new TemplateError(`did not expect ${content.slice(at).trim()}`, where);
    at += match[0].length;
    tokens.push(toToken(match.groups ?? {}, where));
  }
  return tokens;
}

function toToken(groups: Readonly<Record<string, string | undefined>>, where: string): Token {
  const { string, number, field, word, symbol } = groups;
  if (string !== undefined) return { kind: 'literal', value: JSON.parse(string) as string };
  if (number !== undefined) return { kind: 'literal', value: Number(number) };
  if (field !== undefined) {
    if (/^[a-z]/.test(field)) throw new TemplateError(`did not expect ${field}`, where);
    return { kind: 'field', text: field };
  }
  if (word === 'true' || word === 'false') return { kind: 'literal', value: word === 'true' };
  return word === undefined ? { kind: 'symbol', text: symbol ?? '' } : { kind: 'word', text: word };
}

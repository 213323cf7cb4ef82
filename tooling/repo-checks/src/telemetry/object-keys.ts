/** Text between the bracket at `open` and the one that closes it. */
export function bracketed(text: string, open: number): string {
  let depth = 0;
  for (let index = open; index < text.length; index++) {
    index = afterString(text, index);
    if ('([{'.includes(text.charAt(index))) depth++;
    else if (')]}'.includes(text.charAt(index)) && --depth === 0) return text.slice(open + 1, index);
  }
  throw new TypeError(`No bracket closes the one at ${open}: ${text.slice(open, open + 40)}`);
}

/** `text` cut at its commas, those inside brackets and strings left alone. */
export function parts(text: string): readonly string[] {
  const found: string[] = [];
  let depth = 0;
  let from = 0;
  for (let index = 0; index < text.length; index++) {
    index = afterString(text, index);
    const character = text.charAt(index);
    if ('([{'.includes(character)) depth++;
    if (')]}'.includes(character)) depth--;
    if (character !== ',' || depth > 0) continue;
    found.push(text.slice(from, index));
    from = index + 1;
  }
  found.push(text.slice(from));
  return found.map((part) => part.trim()).filter((part) => part !== '');
}

/** The last index of a string literal that begins at `index`, else `index`. */
function afterString(text: string, index: number): number {
  const quote = text.charAt(index);
  if (!`'"\``.includes(quote) || quote === '') return index;
  let end = index + 1;
  while (end < text.length && text.charAt(end) !== quote) end += text.charAt(end) === '\\' ? 2 : 1;
  return end;
}

/**
 * Keys of an object expression: a literal, or the name of a constant or of a function of the same file that is one.
 * @param before what of `file` comes before the expression: of several constants the nearest one counts
 */
export function keysOf(expression: string, file: string, before: string = file): readonly string[] {
  const text = expression.trim().replace(/^\(/, '').replace(/\)$/, '');
  if (text.startsWith('{')) {
    return parts(bracketed(text, 0)).flatMap((part) => keysOfPart(part, file, before));
  }
  const name = /^[a-zA-Z]\w*/.exec(text)?.[0];
  if (name === undefined) throw new TypeError(`Expected an object, got ${expression}`);
  const constant = before.lastIndexOf(`const ${name} = {`);
  if (constant >= 0)
    return keysOf(`{${bracketed(file, file.indexOf('{', constant))}}`, file, before.slice(0, constant));
  const declared = file.indexOf(`function ${name}(`);
  const returned = file.indexOf('return {', declared);
  if (declared < 0 || returned < 0) throw new TypeError(`Nothing in the file says what ${name} is`);
  return keysOf(`{${bracketed(file, file.indexOf('{', returned))}}`, file, file.slice(0, returned));
}

function keysOfPart(part: string, file: string, before: string): readonly string[] {
  if (!part.startsWith('...')) return [/^\w+/.exec(part)?.[0] ?? ''];
  const spread = part.slice(3);
  const condition = /(?:&&|\?)\s*(?=[{a-z])/.exec(spread);
  return keysOf(condition ? spread.slice(condition.index + condition[0].length) : spread, file, before);
}

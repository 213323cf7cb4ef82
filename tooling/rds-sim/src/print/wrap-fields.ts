/**
 * Fills lines of `widthColumns` with fields, continued under the first field. A field that is too long for a line of its
 * own is cut inside, as the device does with long paths. A reader cannot distinguish it from two values then.
 */
export function wrapFields(
  prefix: string,
  fields: readonly string[],
  widthColumns: number,
): readonly string[] {
  const indent = ' '.repeat(prefix.length);
  const room = Math.max(widthColumns - prefix.length, 1);
  const lines: string[] = [];
  let line = '';
  for (const field of fields) {
    if (line !== '' && line.length + 1 + field.length > room) {
      lines.push(line);
      line = '';
    }
    let rest = line === '' ? field : `${line} ${field}`;
    while (rest.length > room) {
      lines.push(rest.slice(0, room));
      rest = rest.slice(room);
    }
    line = rest;
  }
  lines.push(line);
  return lines.map((text, index) => (index === 0 ? prefix : indent) + text);
}

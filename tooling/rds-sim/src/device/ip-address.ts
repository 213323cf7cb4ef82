/** An IPv4 address as a number; `undefined` for anything else. */
export function parseIpv4(text: string): number | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (!match) return undefined;
  let address = 0;
  for (const part of match.slice(1)) {
    const byte = Number(part);
    if (byte > 255) return undefined;
    address = address * 256 + byte;
  }
  return address;
}

/** Whether `address` lies in `range`: one address, `a.b.c.d/n` or `a.b.c.d-e.f.g.h`. What cannot be read contains nothing. */
export function inRange(address: string, range: string): boolean {
  const wanted = parseIpv4(address);
  if (wanted === undefined) return false;
  const [from = '', to] = range.split('-');
  if (to !== undefined) {
    const [low, high] = [parseIpv4(from), parseIpv4(to)];
    return low !== undefined && high !== undefined && wanted >= low && wanted <= high;
  }
  const [base = '', bits = '32'] = range.split('/');
  const network = parseIpv4(base);
  if (network === undefined || !/^\d{1,2}$/.test(bits) || Number(bits) > 32) return false;
  const size = 2 ** (32 - Number(bits));
  return Math.floor(wanted / size) === Math.floor(network / size);
}

/** The form in which an address is stored: one address carries no `/32`. */
export function storedAddress(text: string): string {
  return text.endsWith('/32') ? text.slice(0, -3) : text;
}

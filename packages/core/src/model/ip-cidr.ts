/** Whether `address` lies in `cidr`, `10.0.0.0/16` or `fd00::/8`. Text that is neither address nor CIDR matches nothing. */
export function isInCidr(address: string, cidr: string): boolean {
  const [network = '', length = ''] = cidr.split('/');
  const [a, n] = [bitsOf(address), bitsOf(network)];
  const prefix = Number(length === '' ? n?.length : length);
  if (!a || !n || a.length !== n.length || !Number.isInteger(prefix) || prefix < 0 || prefix > n.length)
    return false;
  return a.slice(0, prefix) === n.slice(0, prefix);
}

function bitsOf(address: string): string | undefined {
  const groups = address.includes(':') ? groupsOfIpv6(address) : address.split('.').map(Number);
  const [count, width] = address.includes(':') ? [8, 16] : [4, 8];
  const isValid = groups?.length === count && groups.every((group) => group >= 0 && group < 2 ** width);
  return isValid ? groups.map((group) => group.toString(2).padStart(width, '0')).join('') : undefined;
}

function groupsOfIpv6(address: string): readonly number[] | undefined {
  const [head = '', tail, ...more] = address.split('::');
  if (more.length > 0) return undefined;
  if (tail === undefined) return groupsOf(head);
  const [left, right] = [groupsOf(head), groupsOf(tail)];
  return [...left, ...Array.from({ length: Math.max(8 - left.length - right.length, 0) }, () => 0), ...right];
}

function groupsOf(text: string): readonly number[] {
  return text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
}

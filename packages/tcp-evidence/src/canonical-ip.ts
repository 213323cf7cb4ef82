import { isIPv4, isIPv6 } from 'node:net';

/**
 * An address in the one spelling everything is compared in: IPv4 dotted (also when it came as `::ffff:a.b.c.d`), IPv6
 * compressed and in lower case, without `/32` or `/128`. `undefined` when it is not a single address.
 */
export function canonicalIp(text: string): string | undefined {
  const [address = '', prefix, ...rest] = text.trim().split('/');
  if (rest.length > 0) return undefined;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address;
  if (isIPv4(mapped)) {
    // `::ffff:a.b.c.d/128` is the same single address.
    const single = prefix === undefined || prefix === '32' || (prefix === '128' && mapped !== address);
    return single ? mapped : undefined;
  }
  if (!isIPv6(address) || (prefix !== undefined && prefix !== '128') || address.includes('%'))
    return undefined;
  return new URL(`http://[${address}]`).hostname.slice(1, -1);
}

import { isIPv4, isIPv6 } from 'node:net';

/**
 * An address in the one spelling everything is compared in: IPv4 dotted (also when it came as `::ffff:a.b.c.d`), IPv6
 * compressed and in lower case, without `/32` or `/128`. `undefined` when it is no single address.
 */
export function normaliseAddress(text: string): string | undefined {
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

export interface Endpoint {
  readonly address: string;
  readonly port?: number;
}

/** An address that may carry a port, as in the older form `10.0.5.1:48984`; `undefined` when it is none. */
export function parseEndpoint(text: string): Endpoint | undefined {
  const whole = normaliseAddress(text);
  if (whole !== undefined) return { address: whole };
  const match = /^\[?(.+?)\]?:(\d{1,5})$/.exec(text);
  const address = match?.[1] === undefined ? undefined : normaliseAddress(match[1]);
  const port = Number(match?.[2]);
  return address === undefined || port > 65_535 ? undefined : { address, port };
}

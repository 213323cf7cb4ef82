import { canonicalIp } from '@reattach/tcp-evidence';

export interface Endpoint {
  readonly address: string;
  readonly port?: number;
}

/** An address that may carry a port, as in the older form `10.0.5.1:48984`; `undefined` when it is none. */
export function parseEndpoint(text: string): Endpoint | undefined {
  const whole = canonicalIp(text);
  if (whole !== undefined) return { address: whole };
  const match = /^\[?(.+?)\]?:(\d{1,5})$/.exec(text);
  const address = match?.[1] === undefined ? undefined : canonicalIp(match[1]);
  const port = Number(match?.[2]);
  return address === undefined || port > 65_535 ? undefined : { address, port };
}

/** The address of an interface, `10.0.0.10/24`; `undefined` when it is none. */
export function parseInterfaceAddress(text: string): string | undefined {
  return canonicalIp(text.split('/')[0] ?? '');
}

/** Where to connect or listen. `host` is a name, an IPv4 address, or an IPv6 address without brackets. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

const HOST_PORT = /^(?:\[(?<bracketed>[0-9a-fA-F:.%\w]+)\]|(?<plain>[^\s:[\]]+))(?::(?<port>\d{1,5}))?$/;
const BARE_IPV6 = /^[0-9a-fA-F]*:[0-9a-fA-F:.]*:[0-9a-fA-F:.]*(?:%\w+)?$/;
const MAX_PORT = 65_535;

/**
 * Reads `host`, `host:port`, `[v6]`, `[v6]:port` or a bare `v6`.
 * @param defaultPort used when the text names none; without it a port is required.
 * @returns `undefined` when the text is none of these.
 */
export function parseHostPort(text: string, defaultPort?: number): HostPort | undefined {
  if (BARE_IPV6.test(text)) return defaultPort === undefined ? undefined : { host: text, port: defaultPort };
  const groups = HOST_PORT.exec(text)?.groups;
  const host = groups?.['bracketed'] ?? groups?.['plain'];
  const port = groups?.['port'] === undefined ? defaultPort : Number(groups['port']);
  if (host === undefined || port === undefined || port > MAX_PORT) return undefined;
  return { host, port };
}

/** The text form, with brackets around an IPv6 address. */
export function formatHostPort({ host, port }: HostPort): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Only this machine can reach it. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host);
}

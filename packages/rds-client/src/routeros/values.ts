import { isIPv4 } from 'node:net';
import { BackendError } from '@reattach/ssh-transport';
import { canonicalIp } from '@reattach/tcp-evidence';

/**
 * Everything that varies in a command goes through here. Each kind has a closed alphabet without anything RouterOS'
 * scripting knows (`"`, `$`, `\`, `;`, `[`, `{`, line ends, ...), so nothing is ever escaped: a value comes out exactly as
 * it went in, or it is refused before anything is sent. Slots, NQNs and names of volumes are never part of a command.
 */

/** Longest comment, characters; two ids, a node name and a time fit. */
const MAX_COMMENT_LENGTH = 480;

/**
 * The IPv4 address in the spelling the backend stores.
 * @throws {BackendError} INVALID_VALUE
 */
export function addressValue(text: string): string {
  const address = canonicalIp(text);
  if (address !== undefined && isIPv4(address)) return address;
  const what = address === undefined ? 'is not an IP address' : 'is an IPv6 address, only IPv4 can be fenced';
  throw invalid(`Storage address ${quoted(text)} ${what}`);
}

/** @throws {BackendError} INVALID_VALUE */
export function commentValue(text: string): string {
  if (text.length <= MAX_COMMENT_LENGTH && /^[A-Za-z0-9._:/=@~ -]+$/.test(text)) return `"${text}"`;
  throw invalid(
    `Comment ${quoted(text)} has characters other than letters, digits and ._:/=@~ -, or is too long`,
  );
}

/** @throws {BackendError} INVALID_VALUE */
export function portValue(port: number): string {
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return String(port);
  throw invalid(`Port ${port} is not between 1 and 65535`);
}

/** @throws {BackendError} INVALID_VALUE */
export function nonceValue(nonce: string): string {
  if (/^[0-9a-f]{16}$/.test(nonce)) return nonce;
  throw invalid('Nonce is not 16 hexadecimal digits');
}

function invalid(detail: string): BackendError {
  return new BackendError('INVALID_VALUE', 'not-applied', detail);
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}...` : text);
}

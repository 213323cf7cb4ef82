import { createHash, timingSafeEqual } from 'node:crypto';
import { BackendError } from './backend-error.ts';

/** The one host key a backend may show. */
export interface HostKeyPin {
  /** `SHA256:` and 43 characters of base64, as `ssh-keygen -l` prints it. */
  readonly fingerprint: string;
  /** `ssh-ed25519`, `ssh-rsa`, ...; absent when only the fingerprint is known. */
  readonly keyType?: string;
  /** @param key the host key in SSH wire format */
  matches(key: Uint8Array): boolean;
}

const EXPECTED =
  'an OpenSSH public key ("ssh-ed25519 AAAA..."), a known_hosts line or a fingerprint ("SHA256:...")';

const KEY_TYPE = /^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521))$/;

/**
 * Reads a pinned host key in any of the forms OpenSSH prints. It is one line: of several, the first would be pinned and the others ignored.
 * @throws {BackendError} BAD_CONFIG when it is none of them, and names what was expected
 */
export function parseHostKeyPin(text: string): HostKeyPin {
  const lines = text.trim().split(/\r?\n/);
  if (lines.length > 1) {
    throw new BackendError(
      'BAD_CONFIG',
      'not-applied',
      `Host key has ${lines.length} lines, expected one. Keep only the line of the key that the backend shows, and remove comments`,
    );
  }
  const fields = text.trim().split(/\s+/);
  const fingerprint = /^SHA256:([A-Za-z0-9+/]{43})=?$/.exec(fields[0] ?? '')?.[1];
  if (fingerprint !== undefined && fields.length === 1) {
    const pinned = Buffer.from(fingerprint, 'base64');
    return {
      fingerprint: `SHA256:${fingerprint}`,
      matches: (key) => timingSafeEqual(sha256(key), pinned),
    };
  }
  // A known_hosts line has the host names first; its markers (@cert-authority, @revoked) pin no key.
  const at = fields.findIndex((field) => KEY_TYPE.test(field));
  const keyType = fields[at];
  const blob = Buffer.from(fields[at + 1] ?? '', 'base64');
  if (keyType === undefined || at > 1 || fields[0]?.startsWith('@') || wireType(blob) !== keyType) {
    throw new BackendError('BAD_CONFIG', 'not-applied', `Host key is not ${EXPECTED}`);
  }
  return {
    fingerprint: fingerprintOf(blob),
    keyType,
    matches: (key) => blob.equals(key),
  };
}

/** @param key a host key in SSH wire format */
export function fingerprintOf(key: Uint8Array): string {
  return `SHA256:${sha256(key).toString('base64').replace(/=+$/, '')}`;
}

function sha256(key: Uint8Array): Buffer {
  return createHash('sha256').update(key).digest();
}

/** The type a key in wire format names itself: a length of four bytes, then the name. */
function wireType(blob: Buffer): string | undefined {
  if (blob.length < 4) return undefined;
  const length = blob.readUInt32BE(0);
  return length > 64 || blob.length <= 4 + length ? undefined : blob.toString('latin1', 4, 4 + length);
}

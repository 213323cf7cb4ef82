import { createHash } from 'node:crypto';
import ssh2 from 'ssh2';

export interface KeyPair {
  /** OpenSSH PEM. */
  readonly privateKey: string;
  /** OpenSSH line: `ssh-ed25519 AAAA...`. */
  readonly publicKey: string;
}

/** A new ed25519 key pair, for a host or a user. */
export function generateKeyPair(): KeyPair {
  const pair = ssh2.utils.generateKeyPairSync('ed25519');
  return { privateKey: pair.private, publicKey: pair.public.trim() };
}

/**
 * The public half of a private key, as an OpenSSH line.
 * @throws {TypeError} when it cannot be read.
 */
export function publicKeyOf(privateKey: string): string {
  const key = ssh2.utils.parseKey(privateKey);
  if (key instanceof Error) throw new TypeError(`not a private key: ${key.message}`);
  return `${key.type} ${key.getPublicSSH().toString('base64')}`;
}

/** `SHA256:...` of an OpenSSH line, as `ssh-keygen -lf` prints it. */
export function fingerprintOf(publicKey: string): string {
  const blob = Buffer.from(publicKey.split(' ')[1] ?? '', 'base64');
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
}

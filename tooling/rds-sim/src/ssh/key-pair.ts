import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import ssh2 from 'ssh2';

export interface KeyPair {
  /** OpenSSH PEM. */
  readonly privateKey: string;
  /** OpenSSH line: `ssh-ed25519 AAAA...`. */
  readonly publicKey: string;
}

const KEY_TYPE = 'ssh-ed25519';
/** Private parts are padded to this many bytes where there is no cipher. */
const BLOCK_BYTES = 8;

/**
 * A new ed25519 key pair, for a host or a user. Written out by hand: of the keys that `ssh2.utils.generateKeyPairSync` (1.17.0)
 * makes a few in a thousand are malformed.
 * @see https://cvsweb.openbsd.org/src/usr.bin/ssh/PROTOCOL.key the format `openssh-key-v1`
 */
export function generateKeyPair(): KeyPair {
  const { d, x } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  const seed = Buffer.from(d ?? '', 'base64url');
  const point = Buffer.from(x ?? '', 'base64url');
  const publicBlob = Buffer.concat([field(KEY_TYPE), field(point)]);
  const check = randomBytes(4);
  const secret = Buffer.concat([
    check,
    check,
    field(KEY_TYPE),
    field(point),
    field(Buffer.concat([seed, point])),
    field(''), // comment
  ]);
  const padding = Buffer.from(
    Array.from({ length: (BLOCK_BYTES - (secret.length % BLOCK_BYTES)) % BLOCK_BYTES }, (_, i) => i + 1),
  );
  const body = Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    field('none'), // cipher
    field('none'), // key derivation
    field(''), // its options
    uint32(1), // keys
    field(publicBlob),
    field(Buffer.concat([secret, padding])),
  ]);
  const lines = body.toString('base64').match(/.{1,70}/g) ?? [];
  return {
    privateKey: `-----BEGIN OPENSSH PRIVATE KEY-----\n${lines.join('\n')}\n-----END OPENSSH PRIVATE KEY-----\n`,
    publicKey: `${KEY_TYPE} ${publicBlob.toString('base64')}`,
  };
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

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function field(content: string | Buffer): Buffer {
  return Buffer.concat([uint32(Buffer.byteLength(content)), Buffer.from(content)]);
}

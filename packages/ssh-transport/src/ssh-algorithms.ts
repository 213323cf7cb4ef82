import type { Algorithms } from 'ssh2';
import type { HostKeyPin } from './host-key-pin.ts';

/**
 * Key exchanges that cost the client less than 10 ms. Group exchange is absent, because the server chooses the prime: one large
 * prime blocks the event loop for a minute before the host key is checked. The larger groups and curves cost up to 130 ms.
 */
const KEY_EXCHANGES: Algorithms['kex'] = [
  'curve25519-sha256',
  'curve25519-sha256@libssh.org',
  'ecdh-sha2-nistp256',
  'diffie-hellman-group14-sha256',
];

/** Signatures of host keys. `ssh-rsa` is absent, because it signs with SHA-1. */
const HOST_KEYS: Algorithms['serverHostKey'] = [
  'ssh-ed25519',
  'rsa-sha2-512',
  'rsa-sha2-256',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
];

const CIPHERS: Algorithms['cipher'] = [
  'aes128-gcm@openssh.com',
  'aes256-gcm@openssh.com',
  'aes128-ctr',
  'aes192-ctr',
  'aes256-ctr',
];

const MACS: Algorithms['hmac'] = [
  'hmac-sha2-256-etm@openssh.com',
  'hmac-sha2-512-etm@openssh.com',
  'hmac-sha2-256',
  'hmac-sha2-512',
];

/** The algorithms offered to a backend: no group exchange, no SHA-1, no compression. A pinned key limits the host keys to its type. */
export function sshAlgorithms({ keyType }: Pick<HostKeyPin, 'keyType'>): Algorithms {
  return {
    kex: KEY_EXCHANGES,
    serverHostKey: hostKeyAlgorithms(keyType),
    cipher: CIPHERS,
    hmac: MACS,
    compress: ['none'],
  };
}

function hostKeyAlgorithms(keyType: string | undefined): Algorithms['serverHostKey'] {
  if (keyType === undefined) return HOST_KEYS;
  if (keyType === 'ssh-rsa') return ['rsa-sha2-512', 'rsa-sha2-256'];
  return [keyType] as Algorithms['serverHostKey'];
}

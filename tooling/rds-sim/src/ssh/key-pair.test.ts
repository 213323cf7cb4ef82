import ssh2 from 'ssh2';
import { describe, expect, it } from 'vitest';
import { fingerprintOf, generateKeyPair, publicKeyOf } from './key-pair.ts';

describe('generateKeyPair', () => {
  it('makes keys that can be read and that sign, every time', () => {
    for (let i = 0; i < 600; i++) {
      const { privateKey, publicKey } = generateKeyPair();
      expect(publicKeyOf(privateKey)).toBe(publicKey);
      if (i % 100 > 0) continue;
      const [secret, known] = [ssh2.utils.parseKey(privateKey), ssh2.utils.parseKey(publicKey)];
      if (secret instanceof Error || known instanceof Error) throw new Error('a key cannot be read');
      const data = Buffer.from('data');
      expect(known.verify(data, secret.sign(data))).toBe(true);
    }
  });
});

describe('fingerprintOf', () => {
  it('is the SHA-256 of the key, without padding', () => {
    const line = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA me@host';
    expect(fingerprintOf(line)).toBe('SHA256:kmYcvdi2GkPeWxB6XLjrZB8JHsy2Hm8luHMFp9GMvqk'); // by ssh-keygen
  });
});

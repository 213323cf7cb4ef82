import { generateKeyPair } from '@reattach/rds-sim';
import { describe, expect, it } from 'vitest';
import { fingerprintOf, parseHostKeyPin } from './host-key-pin.ts';

const LINE = generateKeyPair().publicKey.split(' ').slice(0, 2).join(' ');
const BLOB = Buffer.from(LINE.split(' ')[1] ?? '', 'base64');
const OTHER = Buffer.from(generateKeyPair().publicKey.split(' ')[1] ?? '', 'base64');
const FINGERPRINT = fingerprintOf(BLOB);

describe('parseHostKeyPin', () => {
  it.each([
    ['a public key', LINE],
    ['a public key with a comment', `${LINE} admin@MikroTik`],
    ['a known_hosts line', `10.0.0.10 ${LINE}`],
    ['a known_hosts line with a port and a comment', `[rds.example]:2222,10.0.0.10 ${LINE} x`],
    ['a hashed known_hosts line', `|1|F1E2D3=|AAAA= ${LINE}\n`],
    ['a fingerprint', FINGERPRINT],
    ['a padded fingerprint', `${FINGERPRINT}=`],
  ])('takes %s', (_, text) => {
    const pin = parseHostKeyPin(text);
    expect(pin.fingerprint).toBe(FINGERPRINT);
    expect(pin.matches(BLOB)).toBe(true);
    expect(pin.matches(OTHER)).toBe(false);
  });

  it('knows the type of a key, not of a fingerprint', () => {
    expect(parseHostKeyPin(LINE).keyType).toBe('ssh-ed25519');
    expect(parseHostKeyPin(FINGERPRINT).keyType).toBeUndefined();
  });

  it.each([
    ['nothing', ''],
    ['a short fingerprint', FINGERPRINT.slice(0, -1)],
    ['an MD5 fingerprint', 'MD5:aa:bb'],
    ['a key without its body', 'ssh-ed25519'],
    ['a key whose body says another type', LINE.replace('ssh-ed25519', 'ssh-rsa')],
    ['a cut key', LINE.slice(0, 20)],
    ['a marker', `@cert-authority * ${LINE}`],
    ['a private key', '-----BEGIN OPENSSH PRIVATE KEY-----'],
  ])('refuses %s and names what it expected', (_, text) => {
    expect(() => parseHostKeyPin(text)).toThrow(/BAD_CONFIG.*public key.*known_hosts.*SHA256/);
  });

  it.each([
    ['a second key', `${LINE}\nssh-rsa AAAA`],
    ['a comment above', `# backend:22 SSH-2.0-ROSSSH\n${LINE}`],
    ['a second fingerprint', `${FINGERPRINT}\r\n${FINGERPRINT}`],
  ])('refuses %s and names the fix', (_, text) => {
    expect(() => parseHostKeyPin(text)).toThrow(
      /BAD_CONFIG: Host key has 2 lines, expected one. Keep only the line/,
    );
  });
});

import ssh2, { type PublicKeyAuthContext } from 'ssh2';

export interface SimUser {
  readonly name: string;
  /** OpenSSH lines; any of them logs in. There are no passwords. */
  readonly publicKeys: readonly string[];
  /** The user's group lacks the policy `write`; default false. */
  readonly readOnly?: boolean;
}

/** Who logs in, and with which console options: RouterOS takes them behind the name, `admin+ct512w`. */
export interface Login {
  readonly name: string;
  readonly widthColumns: number | undefined;
}

export function parseLogin(username: string): Login {
  const plus = username.indexOf('+');
  if (plus === -1) return { name: username, widthColumns: undefined };
  const width = /(\d+)w/.exec(username.slice(plus))?.[1];
  return { name: username.slice(0, plus), widthColumns: width === undefined ? undefined : Number(width) };
}

/** Whether the key is one of the user's and, where the client has signed, the signature is right. */
export function provesKey(context: PublicKeyAuthContext, user: SimUser): boolean {
  return user.publicKeys.some((line) => {
    const key = ssh2.utils.parseKey(line);
    if (key instanceof Error || key.type !== context.key.algo.replace(/^rsa-sha2-.*/, 'ssh-rsa'))
      return false;
    if (!key.getPublicSSH().equals(context.key.data)) return false;
    if (!context.signature) return true;
    if (!context.blob) return false;
    const verified: unknown = key.verify(context.blob, context.signature, context.hashAlgo); // an Error says no too
    return verified === true;
  });
}

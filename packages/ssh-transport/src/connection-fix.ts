/** What to do about each way in which a connection fails. `KIND` is the key of the backend's settings. */
const FIXES: readonly (readonly [RegExp, string])[] = [
  [
    /BAD_HOST_KEY|host key/i,
    'Compare the host key with the one that the backend shows at its console. When the backend was replaced on purpose, pin the new key in KIND.hostKey',
  ],
  [
    /AUTH|authentication|not accept the key/i,
    'Check KIND.user and KIND.privateKeyFile, and that the public key was imported for that user at the backend',
  ],
  [
    /ECONNREFUSED|refused/i,
    'Check the port in KIND.address, that the SSH service of the backend runs, and that it admits this host',
  ],
  [/ENOTFOUND|EAI_AGAIN/i, 'Check the host name in KIND.address and the DNS of this host'],
  [
    /EHOSTUNREACH|ENETUNREACH|TIMEOUT|timed out/i,
    'Check the address in KIND.address, and firewalls and NetworkPolicies between this host and the backend',
  ],
];

/** The fix for a failed SSH connection, by its error text; `undefined` for a text of another kind of failure. @param kind key of the settings, `rds` */
export function connectionFix(kind: string, detail: string): string | undefined {
  return FIXES.find(([pattern]) => pattern.test(detail))?.[1].replaceAll('KIND', kind);
}

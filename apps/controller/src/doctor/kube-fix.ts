import { KubeApiError } from '@reattach/k8s-api';

const KUBECONFIG = 'the kubeconfig (--kubeconfig, --context, KUBECONFIG, else ~/.kube/config)';

/** What to do about each way in which the connection to the API server fails, by the codes of the error and its causes. */
const FIXES: readonly (readonly [RegExp, string])[] = [
  [/^BAD_CONFIG$/, `Correct the field that the message names in ${KUBECONFIG}`],
  [
    /^CERT_HAS_EXPIRED$/,
    'Renew the certificate of the API server, or set the clock of this host: its certificate has expired',
  ],
  [
    /^(ERR_TLS_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)/,
    `Check certificate-authority-data and tls-server-name in ${KUBECONFIG}: the server's certificate is not trusted for this address`,
  ],
  [/^UNAUTHORIZED$/, `Renew the token, client certificate or login of the user in ${KUBECONFIG}`],
  [/^FORBIDDEN$/, 'Bind the RBAC of packages/k8s-actions/README.md to the user or service account'],
  [
    /^ECONNREFUSED$/,
    `Check the port of server: in ${KUBECONFIG}, and that the API server runs: nothing listens there`,
  ],
  [/^(ENOTFOUND|EAI_AGAIN)$/, `Check the host name of server: in ${KUBECONFIG}, and the DNS of this host`],
  [
    /^(EHOSTUNREACH|ENETUNREACH|TIMEOUT|UND_ERR_CONNECT_TIMEOUT|ETIMEDOUT)$/,
    `Check the address of server: in ${KUBECONFIG}, and firewalls, VPN and NetworkPolicies between this host and the API server`,
  ],
  [
    /^(MALFORMED|NOT_FOUND)$/,
    `Check server: in ${KUBECONFIG}: something other than a Kubernetes API server answers there`,
  ],
];

/** The fix for a failed request to the API server: TLS, authentication, refused connections and the rest each have one. */
export function kubeFix(err: unknown): string {
  for (const code of codesOf(err)) {
    const fix = FIXES.find(([pattern]) => pattern.test(code))?.[1];
    if (fix !== undefined) return fix;
  }
  return `Check ${KUBECONFIG}, and the health of the API server: kubectl get --raw /readyz`;
}

/** Innermost first: a refused certificate says more than "unavailable". */
function codesOf(err: unknown): readonly string[] {
  const codes: string[] = [];
  for (let each = err, depth = 0; each instanceof Error && depth < 5; each = each.cause, depth++) {
    const { code, errors } = each as Error & {
      readonly code?: unknown;
      readonly errors?: readonly unknown[];
    };
    if (typeof code === 'string') codes.unshift(code);
    for (const inner of errors ?? []) codes.unshift(...codesOf(inner));
    if (each instanceof KubeApiError && each.status === 404) codes.unshift('NOT_FOUND');
  }
  return codes;
}

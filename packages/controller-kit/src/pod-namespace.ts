import { readFileSync } from 'node:fs';

/** Where the kubelet writes the namespace of a pod that has a service account. */
const NAMESPACE_FILE = '/var/run/secrets/kubernetes.io/serviceaccount/namespace';

/** The namespace this process runs in; `undefined` outside of a pod. */
export function serviceAccountNamespace(): string | undefined {
  try {
    return readFileSync(NAMESPACE_FILE, 'utf8').trim();
  } catch {
    return undefined;
  }
}

/** The namespace this process runs in; outside of a pod `kube-system`. */
export function podNamespace(): string {
  return serviceAccountNamespace() ?? 'kube-system';
}

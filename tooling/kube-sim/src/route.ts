import type { Resource } from './resource.ts';

/** What a request path means. */
export type Route =
  | { readonly kind: 'health' }
  | { readonly kind: 'version' }
  | { readonly kind: 'access-review' }
  /** An API group that is not served, such as that of a CRD that is not installed. */
  | { readonly kind: 'no-such-group' }
  | { readonly kind: 'collection'; readonly resource: Resource; readonly namespace?: string }
  | {
      readonly kind: 'object';
      readonly resource: Resource;
      readonly namespace?: string;
      readonly name: string;
      readonly subresource?: 'status';
    };

const FIXED: Readonly<Record<string, Route>> = {
  '/livez': { kind: 'health' },
  '/readyz': { kind: 'health' },
  '/healthz': { kind: 'health' },
  '/version': { kind: 'version' },
  '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews': { kind: 'access-review' },
};

const API_PATH = /^\/(?:api|apis\/(?<group>[^/]+))\/v1\/(?<rest>.+)$/;

/** Reads a path; `undefined` for one that nothing is served at though its group exists. */
export function parseRoute(path: string, resources: readonly Resource[]): Route | undefined {
  const fixed = FIXED[path];
  if (fixed) return fixed;
  const { group = '', rest } = API_PATH.exec(path)?.groups ?? {};
  if (rest === undefined) return undefined;
  const served = resources.filter((resource) => resource.group === group);
  if (served.length === 0) return { kind: 'no-such-group' };
  const segments = rest.split('/').map(decodeURIComponent);
  const [first, namespace, ...inNamespace] = segments;
  // `namespaces/x/status` is the Namespace itself: no resource is called status.
  if (first === 'namespaces' && namespace && inNamespace.length > 0 && inNamespace[0] !== 'status') {
    return resourceRoute(served, inNamespace, namespace);
  }
  return resourceRoute(served, segments);
}

function resourceRoute(
  served: readonly Resource[],
  [plural, name, subresource, ...extra]: readonly string[],
  namespace?: string,
): Route | undefined {
  const resource = served.find((candidate) => candidate.plural === plural);
  if (!resource || extra.length > 0 || name === '') return undefined;
  if (namespace !== undefined && !resource.namespaced) return undefined;
  const place = { resource, ...(namespace !== undefined && { namespace }) };
  if (name === undefined) return { kind: 'collection', ...place };
  if (resource.namespaced && namespace === undefined) return undefined;
  if (subresource === undefined) return { kind: 'object', ...place, name };
  return subresource === 'status' && resource.hasStatus
    ? { kind: 'object', ...place, name, subresource }
    : undefined;
}

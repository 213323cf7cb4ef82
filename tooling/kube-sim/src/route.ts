import { RESOURCES, type Resource } from './resource.ts';

/** What a request path means. */
export type Route =
  | { readonly kind: 'health' }
  | { readonly kind: 'version' }
  | { readonly kind: 'access-review' }
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

/** Reads a path; `undefined` for one that nothing is served at. */
export function parseRoute(path: string): Route | undefined {
  const fixed = FIXED[path];
  if (fixed) return fixed;
  const { group = '', rest } = API_PATH.exec(path)?.groups ?? {};
  if (rest === undefined) return undefined;
  const segments = rest.split('/').map(decodeURIComponent);
  const [first, namespace, ...inNamespace] = segments;
  // `namespaces/x/status` is the Namespace itself: no resource is called status.
  if (first === 'namespaces' && namespace && inNamespace.length > 0 && inNamespace[0] !== 'status') {
    return resourceRoute(group, inNamespace, namespace);
  }
  return resourceRoute(group, segments);
}

function resourceRoute(
  group: string,
  [plural, name, subresource, ...extra]: readonly string[],
  namespace?: string,
): Route | undefined {
  const resource = RESOURCES.find((candidate) => candidate.group === group && candidate.plural === plural);
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

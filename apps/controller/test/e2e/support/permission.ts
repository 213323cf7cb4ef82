import type { LoggedRequest } from '@reattach/kube-sim';
import type { RoleObject } from './controller-role.ts';

/** Who may do what: `<namespace or *> <verb> <group>/<resource>[/<subresource>][ <name>]`. */
export type Permission = string;

export const CLUSTER_WIDE = '*';

const VERBS: Readonly<Record<string, string>> = {
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};
/** `/api/v1/...` and `/apis/<group>/<version>/...`, with or without a namespace. */
const RESOURCE_PATH =
  /^\/api(?:s\/(?<group>[^/]+))?\/v[^/]+(?:\/namespaces\/(?<namespace>[^/]+))?\/(?<resource>[^/]+)(?:\/(?<name>[^/]+)(?:\/(?<subresource>[^/]+))?)?$/;

/** What a role grants, one verb and resource each. */
export function granted({ kind, metadata, rules }: RoleObject): readonly Permission[] {
  const scope = kind === 'ClusterRole' ? CLUSTER_WIDE : (metadata.namespace ?? '');
  return rules.flatMap(({ apiGroups, resources, verbs, resourceNames = [undefined] }) =>
    apiGroups.flatMap((group) =>
      resources.flatMap((resource) =>
        verbs.flatMap((verb) => resourceNames.map((name) => permission(scope, verb, group, resource, name))),
      ),
    ),
  );
}

/** The permissions of which a request needs any one; none for a request that is about no resource. */
export function needed({ method, path, watch }: LoggedRequest): readonly Permission[] {
  const groups = RESOURCE_PATH.exec(path)?.groups;
  const resource = groups?.['resource'];
  if (!groups || resource === undefined) return [];
  const { namespace, name, subresource, group = '' } = groups;
  const read = name === undefined ? (watch ? 'watch' : 'list') : 'get';
  const verb = VERBS[method] ?? read;
  const target = subresource === undefined ? resource : `${resource}/${subresource}`;
  const scopes = namespace === undefined ? [CLUSTER_WIDE] : [CLUSTER_WIDE, namespace];
  const names = name === undefined ? [undefined] : [undefined, name];
  return scopes.flatMap((scope) => names.map((each) => permission(scope, verb, group, target, each)));
}

/** The parts of a permission. */
export function parsePermission(text: Permission): {
  readonly namespace: string | undefined;
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource: string | undefined;
  readonly name: string | undefined;
} {
  const [scope = '', verb = '', target = '', name] = text.split(' ');
  const [group = '', resource = '', subresource] = target.split('/');
  return { namespace: scope === CLUSTER_WIDE ? undefined : scope, verb, group, resource, subresource, name };
}

function permission(scope: string, verb: string, group: string, resource: string, name?: string): Permission {
  return `${scope} ${verb} ${group}/${resource}${name === undefined ? '' : ` ${name}`}`;
}

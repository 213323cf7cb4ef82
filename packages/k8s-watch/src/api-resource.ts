/** The resource behind a collection's path, as RBAC names it. */
export interface ApiResource {
  /** `volumeattachments` */
  readonly plural: string;
  /** `storage.k8s.io`; empty for the core group. */
  readonly group: string;
}

/** Reads `/api/v1/nodes`, `/apis/<group>/<version>/<plural>` and both with `namespaces/<namespace>/` before the plural. */
export function resourceOfPath(path: string): ApiResource {
  const [, root, ...segments] = path.split('/');
  const plural = segments.at(-1);
  const group = root === 'apis' ? segments[0] : '';
  if ((root !== 'api' && root !== 'apis') || !plural || group === undefined || segments.length < 2) {
    throw new TypeError(`Expected the path of a collection, got ${JSON.stringify(path)}`);
  }
  return { plural, group };
}

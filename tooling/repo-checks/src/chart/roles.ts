import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../documents.ts';
import { type Manifest, parseManifests } from './chart-files.ts';

export interface PolicyRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

/** Rules of all roles, by kind and namespace: `Role kube-node-lease`. */
export type RolesByPlace = ReadonlyMap<string, readonly PolicyRule[]>;

/** The roles among some manifests. */
export function rolesOf(manifests: readonly Manifest[]): RolesByPlace {
  return new Map(
    manifests
      .filter(({ kind }) => kind === 'ClusterRole' || kind === 'Role')
      .map((role) => [`${role.kind} ${role.metadata.namespace ?? ''}`.trim(), role['rules'] as PolicyRule[]]),
  );
}

/** The roles that the README of k8s-actions documents: all the permissions that any configuration needs. */
export function documentedRoles(): RolesByPlace {
  const readme = readFileSync(join(ROOT, 'packages/k8s-actions/README.md'), 'utf8');
  const blocks = [...readme.matchAll(/^```ya?ml\n([^]*?)^```/gm)].map(([, text = '']) => text);
  const roles = rolesOf(blocks.flatMap(parseManifests));
  if (!roles.has('ClusterRole'))
    throw new TypeError('Found no ClusterRole in packages/k8s-actions/README.md');
  return roles;
}

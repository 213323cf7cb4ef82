import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';

const README = fileURLToPath(new URL('../../../../../packages/k8s-actions/README.md', import.meta.url));

export interface PolicyRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

/** A ClusterRole, or a Role of a namespace. */
export interface RoleObject {
  readonly apiVersion: string;
  readonly kind: 'ClusterRole' | 'Role';
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly rules: readonly PolicyRule[];
}

/** The roles that the README of k8s-actions tells an operator to create. @throws {Error} when it has none. */
export function controllerRoles(): readonly RoleObject[] {
  const blocks = [...readFileSync(README, 'utf8').matchAll(/^```ya?ml\n([^]*?)^```/gm)].map(
    ([, text = '']) => text,
  );
  const roles = blocks
    .flatMap((text) => parseAllDocuments(text).map((document): unknown => document.toJS()))
    .filter(isRole);
  if (!roles.some(({ kind }) => kind === 'ClusterRole')) throw new Error(`Found no ClusterRole in ${README}`);
  return roles;
}

function isRole(value: unknown): value is RoleObject {
  const kind = typeof value === 'object' && value !== null && 'kind' in value ? value.kind : undefined;
  return kind === 'ClusterRole' || kind === 'Role';
}

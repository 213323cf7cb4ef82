import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { controllerRoles } from '../test/e2e/support/controller-role.ts';

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly roleRef?: { readonly kind: string; readonly name: string };
  readonly subjects?: readonly unknown[];
}

const manifests = parseAllDocuments(
  readFileSync(new URL('../../../deploy/rbac.yaml', import.meta.url), 'utf8'),
).map((document) => document.toJS() as Manifest);

describe('deploy/rbac.yaml', () => {
  const roles = controllerRoles();

  it('grants exactly what the README of k8s-actions says and the end-to-end tests run under', () => {
    expect(manifests.filter(({ kind }) => kind === 'ClusterRole' || kind === 'Role')).toEqual(roles);
  });

  it('binds each role to the one ServiceAccount', () => {
    const account = manifests.find(({ kind }) => kind === 'ServiceAccount')?.metadata;
    const bindings = manifests.filter(({ roleRef }) => roleRef);
    expect(
      bindings.map(({ roleRef, metadata }) => [roleRef?.kind, roleRef?.name, metadata.namespace]),
    ).toEqual(roles.map(({ kind, metadata }) => [kind, metadata.name, metadata.namespace]));
    for (const { subjects } of bindings) expect(subjects).toEqual([{ kind: 'ServiceAccount', ...account }]);
  });
});

import type { Manifest } from './chart-files.ts';

export interface Container {
  readonly image: string;
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string; readonly value?: string }[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
  readonly [field: string]: unknown;
}

export interface PodTemplate {
  readonly metadata: {
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
  };
  readonly spec: {
    readonly serviceAccountName: string;
    readonly containers: readonly [Container];
    readonly [field: string]: unknown;
  };
}

/** The manifest of a kind. @throws {TypeError} when there is none. */
export function manifestOf(manifests: readonly Manifest[], kind: string): Manifest {
  const found = manifests.find((manifest) => manifest.kind === kind);
  if (!found) throw new TypeError(`Expected a ${kind}, got ${manifests.map((each) => each.kind).join(', ')}`);
  return found;
}

/** The pod template of the Deployment. */
export function podOf(manifests: readonly Manifest[]): PodTemplate {
  return (manifestOf(manifests, 'Deployment')['spec'] as { readonly template: PodTemplate }).template;
}

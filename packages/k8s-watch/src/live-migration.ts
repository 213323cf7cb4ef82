import type { PodFact } from '@reattach/core';
import { textAt } from './raw-object.ts';

/** Path of KubeVirt's VirtualMachineInstanceMigrations, in all namespaces. */
export const MIGRATIONS_PATH = '/apis/kubevirt.io/v1/virtualmachineinstancemigrations';

/** KubeVirt's phases in which a migration is over. */
const FINAL_PHASES: ReadonlySet<string | undefined> = new Set(['Succeeded', 'Failed']);

/** A KubeVirt VirtualMachineInstanceMigration. */
export interface LiveMigration {
  readonly uid: string;
  /** `namespace/name` of the VirtualMachineInstance it moves. */
  readonly vmi: string;
  /** A migration without a phase has been asked for and not begun: active too. */
  readonly active: boolean;
}

/** Projects a migration. Never throws. @returns `undefined` for anything else. */
export function toLiveMigration(raw: unknown): LiveMigration | undefined {
  const namespace = textAt(raw, 'metadata', 'namespace');
  const uid = textAt(raw, 'metadata', 'uid');
  const vmiName = textAt(raw, 'spec', 'vmiName');
  if (namespace === undefined || uid === undefined || vmiName === undefined) return undefined;
  const active = !FINAL_PHASES.has(textAt(raw, 'status', 'phase'));
  return { uid, vmi: `${namespace}/${vmiName}`, active };
}

/**
 * The VirtualMachineInstance, as `namespace/name`, that a pod runs or attaches a disk for. KubeVirt makes the VMI the
 * controller of each virt-launcher pod, source and target of a migration alike, and the virt-launcher pod the controller
 * of the pods that hold hot-plugged disks. Its labels hold the VM's name only, shortened when it is long.
 * @param podOf finds a pod by namespace and name.
 */
export function vmiOf(
  { namespace, controller }: PodFact,
  podOf: (namespace: string, name: string) => PodFact | undefined,
): string | undefined {
  if (controller?.kind === 'VirtualMachineInstance') return `${namespace}/${controller.name}`;
  if (controller?.kind !== 'Pod') return undefined;
  const launcher = podOf(namespace, controller.name)?.controller;
  return launcher?.kind === 'VirtualMachineInstance' ? `${namespace}/${launcher.name}` : undefined;
}

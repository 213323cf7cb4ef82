import type { PersistentVolumeFact, StorageVolume, VolumeClaim } from '@reattach/core';
import { canonicalIp } from '@reattach/tcp-evidence';
import type { TargetExport } from './reply/exports.ts';

/**
 * Which volume attributes name the target and the namespace. The defaults are those of democratic-csi (`node_attach_driver:
 * nvmeof`); other drivers need templates, in which `{volumeHandle}` and `{ATTRIBUTE}` are replaced.
 */
export interface VolumeNaming {
  /** Attributes that hold an address, or a comma-separated list of addresses or `tcp://host:port` URLs. */
  readonly addressAttributes: readonly string[];
  /** For the NQN of the subsystem. */
  readonly nqnTemplate: string;
  /** For the namespace id; empty: the subsystem has one namespace. */
  readonly nsidTemplate: string;
}

export const DEMOCRATIC_CSI: VolumeNaming = {
  addressAttributes: ['transports', 'transport'],
  nqnTemplate: '{nqn}',
  nsidTemplate: '{nsid}',
};

/** Whether the volume is at the target that has these addresses. A volume reached over RDMA is not: its fence would cut nothing. */
export function claimOf(
  { volumeAttributes }: Pick<PersistentVolumeFact, 'volumeAttributes'>,
  { addressAttributes }: VolumeNaming,
  targetAddresses: ReadonlySet<string>,
): VolumeClaim {
  const texts = addressAttributes
    .flatMap((key) => (volumeAttributes[key] ?? '').split(','))
    .filter((text) => text.trim() !== '');
  if (texts.length === 0) return 'unnamed';
  // Every path must be ours: over a second one the node could write past the fence.
  return texts.every((text) => targetAddresses.has(hostOf(text.trim()) ?? '')) ? 'mine' : 'other';
}

/** Host of `tcp://host:port?query`, `tcp://[fd00::1]:4420`, `host:port` or `host`; `undefined` for other transports. */
function hostOf(text: string): string | undefined {
  const [, scheme, rest = ''] = /^(?:([a-z+]+):\/\/)?(.*)$/i.exec(text) ?? [];
  if (scheme !== undefined && scheme.toLowerCase() !== 'tcp') return undefined;
  const [, bracketed, plain = ''] = /^(?:\[([^\]]+)\]|([^:/?]+))(?::\d+)?(?:[/?].*)?$/.exec(rest) ?? [];
  const host = bracketed ?? plain;
  return canonicalIp(host) ?? (host === '' ? canonicalIp(rest) : host.toLowerCase());
}

/** The export of a volume: by NQN and namespace id, as the templates name them. */
export function findExport(
  volume: Pick<StorageVolume, 'volumeHandle' | 'volumeAttributes'>,
  { nqnTemplate, nsidTemplate }: VolumeNaming,
  exports: readonly TargetExport[],
): TargetExport | undefined {
  const nqn = filled(nqnTemplate, volume);
  if (nqn === undefined) return undefined;
  const nsid = filled(nsidTemplate, volume);
  const found = exports.filter(
    (each) => each.nqn === nqn && (nsid === undefined || nsid === '' || each.nsid === nsid),
  );
  return found.length === 1 ? found[0] : undefined;
}

/** `undefined` when the volume lacks an attribute that the template names. */
function filled(
  template: string,
  { volumeHandle, volumeAttributes }: Pick<StorageVolume, 'volumeHandle' | 'volumeAttributes'>,
): string | undefined {
  let isComplete = true;
  const text = template.replaceAll(/\{([^{}]+)\}/g, (_, name: string) => {
    const value = name === 'volumeHandle' ? volumeHandle : volumeAttributes[name];
    isComplete &&= value !== undefined;
    return value ?? '';
  });
  return isComplete ? text : undefined;
}

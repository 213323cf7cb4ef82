import { canonicalIp } from '@reattach/tcp-evidence';

/** Volume attributes that name the backend of a volume, the first one present counts. */
const BACKEND_ATTRIBUTES = ['nvmeAddress', 'rdsAddress', 'address'] as const;

/** The address by which a volume names its backend; `undefined`: it names none. */
export function addressNamed(volumeAttributes: Readonly<Record<string, string>>): string | undefined {
  const attribute = BACKEND_ATTRIBUTES.find((key) => volumeAttributes[key] !== undefined);
  return attribute === undefined ? undefined : volumeAttributes[attribute];
}

/** An address or host name in the spelling in which equal ones are equal. */
export function comparable(address: string): string {
  return canonicalIp(address) ?? address.toLowerCase();
}

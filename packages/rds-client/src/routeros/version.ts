/** A RouterOS version, `7.24.2 (stable)`; betas and release candidates count as the release they lead to. */
export interface RouterOsVersion {
  readonly text: string;
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
}

/** `undefined` when it does not begin like a version. */
export function parseVersion(text: string): RouterOsVersion | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})(?:\.(\d{1,3}))?(?![\d])/.exec(text);
  if (!match) return undefined;
  return { text, major: Number(match[1]), minor: Number(match[2]), patch: Number(match[3] ?? 0) };
}

export function isAtLeast(version: RouterOsVersion, major: number, minor: number, patch = 0): boolean {
  if (version.major !== major) return version.major > major;
  return version.minor === minor ? version.patch >= patch : version.minor > minor;
}

/** `:serialize options=`, without which no reply can be trusted, came with 7.16. */
export function isSupported(version: RouterOsVersion): boolean {
  return isAtLeast(version, 7, 16);
}

/** Subsystems have an NQN of their own since 7.21; before, the slot was the NQN. */
export function hasServerNqn(version: RouterOsVersion): boolean {
  return isAtLeast(version, 7, 21);
}

/**
 * What an operator should know about this version; empty when there is nothing.
 * @see CERT Polska, 2026-09-05: unauthenticated takeover over SSH, fixed in 7.23.4 and 7.24.2
 */
export function versionWarnings(version: RouterOsVersion): readonly string[] {
  const warnings: string[] = [];
  if (!isAtLeast(version, 7, 17)) warnings.push('File-backed exports need RouterOS 7.17');
  if (!hasServerNqn(version)) warnings.push('Before RouterOS 7.21 the slot is the NQN');
  const fixed = isAtLeast(version, 7, 24) ? isAtLeast(version, 7, 24, 2) : isAtLeast(version, 7, 23, 4);
  if (!fixed) {
    warnings.push(
      'CVE-2026-67279 and CVE-2026-86060 let anybody take the backend over through SSH; fixed in 7.23.4 and 7.24.2',
    );
  }
  return warnings;
}

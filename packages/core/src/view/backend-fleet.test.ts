import { describe, expect, it } from 'vitest';
import type { StorageBackend, VolumeClaim } from '../ports/storage-backend.ts';
import { persistentVolumeFact } from '../testing/index.ts';
import { BackendFleet } from './backend-fleet.ts';

const volume = persistentVolumeFact();

function owner(...claims: readonly VolumeClaim[]): string | undefined {
  const backends = claims.map((claim, index) => ({ name: `b${index}`, claimOf: () => claim }));
  return new BackendFleet(backends as unknown as readonly StorageBackend[]).backendOf(volume)?.name;
}

describe('BackendFleet', () => {
  it.each([
    [['mine'], 'b0'],
    [['other', 'mine'], 'b1'],
    [['unnamed', 'mine'], 'b1'],
    [['unnamed'], 'b0'],
    [['unnamed', 'unnamed'], undefined],
    [['unnamed', 'other'], undefined],
    [['other'], undefined],
    [['mine', 'mine'], undefined],
    [[], undefined],
  ] as const)('%j -> %s', (claims, name) => {
    expect(owner(...claims)).toBe(name);
  });
});

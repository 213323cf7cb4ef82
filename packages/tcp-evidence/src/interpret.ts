import type { Enforcement, Fence, StorageQuery, StorageReading, StorageSuspect } from '@reattach/core';
import { countLiveHosts, ownersOf, unattributedSessions } from './attribution.ts';
import type { BackendState } from './backend-state.ts';
import { DEFAULT_FENCE_OPTIONS, type FenceOptions, judgeFence } from './fence-judgement.ts';
import { nodeEvidence } from './node-evidence.ts';
import type { TcpReading } from './tcp-reading.ts';

/** How readings of one backend are interpreted. */
export interface InterpretOptions extends Partial<FenceOptions> {
  /** A host that spoke within it is live, ms. */
  readonly activityWindowMs: number;
  /** Which addresses the backend can see and cut off; default: all. */
  readonly isVisible?: (address: string) => boolean;
  /** Hosts that the operator declared not to be nodes of this cluster: their sessions are ignored. Default: none. */
  readonly isForeign?: (address: string) => boolean;
}

/** One reading with everything that it is interpreted by. */
export interface InterpretInput {
  readonly query: StorageQuery;
  readonly reading: TcpReading;
  /** After this reading was folded in. */
  readonly state: BackendState;
  readonly fences: readonly Fence[];
  readonly enforcement: Enforcement;
  /** The backend's name of each volume that it exports, by volume handle. */
  readonly volumes: ReadonlyMap<string, string>;
  readonly options: InterpretOptions;
}

/** What one reading says about every suspect. Pure. */
export function interpretReading(input: InterpretInput): StorageReading {
  const { query, reading, state, fences, enforcement, volumes, options } = input;
  const { activityWindowMs, isVisible = everything, isForeign = nothing } = options;
  const fencedHosts = new Set(fences.flatMap(({ inForce }) => inForce.map(({ value }) => value)));
  const isCutOff = (host: string) => enforcement.kind === 'enforced' && fencedHosts.has(host);
  const attribution = {
    owners: ownersOf(query),
    isForeign: (host: string) => isForeign(host) || isCutOff(host),
  };
  const unattributed = reading.hidden
    ? []
    : unattributedSessions(attribution, state, reading, activityWindowMs);
  const fenceOptions = { ...DEFAULT_FENCE_OPTIONS, ...options };
  const enforcedFences = enforcement.kind === 'enforced' ? fences : [];
  const about = (suspect: StorageSuspect) => {
    const ownVolumes = suspect.volumes.flatMap(({ volumeHandle, singleWriter }) =>
      singleWriter ? (volumes.get(volumeHandle) ?? []) : [],
    );
    return { suspect, query, reading, state, unattributed, ownVolumes, isVisible };
  };
  const handles = query.suspects.flatMap((suspect) =>
    suspect.volumes.map(({ volumeHandle }) => volumeHandle),
  );
  return {
    observedAtMs: reading.requestedAtMs,
    evidence: new Map(
      query.suspects.map((suspect) => [
        suspect.name,
        nodeEvidence({ ...about(suspect), fences: enforcedFences, activityWindowMs }),
      ]),
    ),
    fenceStates: new Map(
      query.suspects.map((suspect) => [
        suspect.name,
        judgeFence({ ...about(suspect), fences, enforcement, options: fenceOptions }),
      ]),
    ),
    ...(!reading.hidden && { liveHosts: countLiveHosts(attribution, state, reading, activityWindowMs) }),
    unattributed,
    fences,
    enforcement,
    volumes: new Set(handles.filter((handle) => volumes.has(handle))),
  };
}

function everything(): boolean {
  return true;
}

function nothing(): boolean {
  return false;
}

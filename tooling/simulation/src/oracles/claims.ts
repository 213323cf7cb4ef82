import type { CreateOracle } from './oracle.ts';

/** How often one pod may be said to be deleted. */
const MAX_REPEATS = 3;

/** What was claimed once must have happened by then, ms. */
const PROOF_MS = 90_000;

/** Log lines and Events that say what did not happen. */
export const watchClaims: CreateOracle = (world, report) => {
  const { api, storage, log, clock } = world;
  const deletions = new Map<string, number>();
  /** VolumeAttachments that were said to be released, by uid. */
  const released = new Map<string, { readonly what: string; readonly atMs: number }>();
  log.onEntry(({ message, fields }) => {
    if (message === 'Fenced node') {
      const listed = storage.fencedAddresses;
      const claimed = (fields['addresses'] ?? []) as readonly { readonly value: string }[];
      const missing = claimed.map(({ value }) => value).filter((address) => !listed.has(address));
      if (missing.length > 0) report('false-claim', `"Fenced node" though ${missing.join()} is not listed`);
    }
    if (message === 'Deleted pod') {
      const pod = api.store.get('Pod', String(fields['pod']), String(fields['namespace']));
      const key = `${String(fields['pod'])} ${pod?.metadata.uid}`;
      const count = (deletions.get(key) ?? 0) + 1;
      deletions.set(key, count);
      if (pod && count > MAX_REPEATS)
        report('false-claim', `"Deleted pod" ${count} times, and ${String(fields['pod'])} is still there`);
    }
    if (message === 'Released stale attachment') {
      const attachment = api.store.get('VolumeAttachment', String(fields['volumeAttachment']));
      if (attachment)
        released.set(attachment.metadata.uid, {
          what: String(fields['persistentVolume']),
          atMs: clock.now(),
        });
    }
  });
  return {
    atEnd() {
      for (const { metadata, spec } of api.store.list('VolumeAttachment')) {
        const claim = released.get(metadata.uid);
        const isLate = claim && clock.now() - claim.atMs > PROOF_MS;
        if (isLate)
          report(
            'false-claim',
            `"Released stale attachment" of ${claim.what}, and it is still at ${spec?.nodeName}`,
          );
      }
    },
  };
};

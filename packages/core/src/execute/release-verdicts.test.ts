import { describe, expect, it } from 'vitest';
import { PassFixture } from '../../test/pass-fixture.ts';
import { ReleaseVerdicts } from './release-verdicts.ts';

const UID = 'uid-of-va-pv-a-node-a';

/** One pass's decisions about `pv-a`, to be released or held. */
async function decided(kind: 'release' | 'hold') {
  const f = new PassFixture();
  if (kind === 'hold') f.backend.reachable = false;
  await f.run();
  expect(f.report.decisions.map(({ attachment, verdict }) => [attachment.uid, verdict.kind])).toEqual([
    [UID, kind],
  ]);
  return f.report.decisions;
}

describe('ReleaseVerdicts', () => {
  it('knows nothing releasable before it was decided', () => {
    expect(new ReleaseVerdicts().isReleasable(UID, 0)).toBe(false);
  });

  it('remembers a release for 5 s', async () => {
    const verdicts = new ReleaseVerdicts();
    verdicts.record(await decided('release'), 1_000);
    expect(verdicts.isReleasable(UID, 1_000)).toBe(true);
    expect(verdicts.isReleasable(UID, 6_000)).toBe(true);
    expect(verdicts.isReleasable(UID, 6_001)).toBe(false);
    expect(verdicts.isReleasable('another', 1_000)).toBe(false);
  });

  it('takes back what is decided otherwise', async () => {
    const verdicts = new ReleaseVerdicts();
    verdicts.record(await decided('release'), 1_000);
    verdicts.record(await decided('hold'), 2_000);
    expect(verdicts.isReleasable(UID, 2_000)).toBe(false);
  });

  it('forgets what is no longer of interest, and only that', async () => {
    const verdicts = new ReleaseVerdicts();
    verdicts.record(await decided('release'), 1_000);
    verdicts.retainOnly(new Set([UID]));
    expect(verdicts.isReleasable(UID, 1_000)).toBe(true);
    verdicts.retainOnly(new Set(['another']));
    expect(verdicts.isReleasable(UID, 1_000)).toBe(false);
  });
});

import { describe, expect, it } from 'vitest';
import { PassFixture } from '../../test/pass-fixture.ts';
import { FakeClock } from '../testing/fake-clock.ts';
import { ReleaseVerdicts } from './release-verdicts.ts';

const UID = 'uid-of-va-pv-a-node-a';
/** When the backend was read. */
const READ_MS = new FakeClock().now();

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

  it('remembers a release until its reading is 5 s old', async () => {
    const verdicts = new ReleaseVerdicts();
    verdicts.record(await decided('release'));
    expect(verdicts.isReleasable(UID, READ_MS)).toBe(true);
    expect(verdicts.isReleasable(UID, READ_MS + 5_000)).toBe(true);
    expect(verdicts.isReleasable(UID, READ_MS + 5_001)).toBe(false);
    expect(verdicts.isReleasable('another', READ_MS)).toBe(false);
  });

  it('withdraws what is decided otherwise', async () => {
    const verdicts = new ReleaseVerdicts();
    verdicts.record(await decided('release'));
    verdicts.record(await decided('hold'));
    expect(verdicts.isReleasable(UID, READ_MS)).toBe(false);
  });

  it('forgets what is no longer of interest, and only that', async () => {
    const verdicts = new ReleaseVerdicts();
    verdicts.record(await decided('release'));
    verdicts.retainOnly(new Set([UID]));
    expect(verdicts.isReleasable(UID, READ_MS)).toBe(true);
    verdicts.retainOnly(new Set(['another']));
    expect(verdicts.isReleasable(UID, READ_MS)).toBe(false);
  });
});

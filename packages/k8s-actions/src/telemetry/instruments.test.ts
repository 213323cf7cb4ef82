import { RecordingTelemetry } from '@reattach/core/testing';
import { describe, expect, it } from 'vitest';
import { observeLeader } from './instruments.ts';

describe('observeLeader', () => {
  it('says 1 while this replica may act, else 0, and nothing once disposed', async () => {
    using telemetry = new RecordingTelemetry();
    let isLeader = false;
    const observing = observeLeader(() => isLeader);
    const read = async () => (await telemetry.collect()).map(({ instrument, value }) => [instrument, value]);
    expect(await read()).toEqual([['reattach.leader', 0]]);
    isLeader = true;
    expect(await read()).toEqual([['reattach.leader', 1]]);
    observing[Symbol.dispose]();
    expect(await read()).toEqual([]);
  });
});

import { RecordingTelemetry } from '@reattach/core/testing';
import { describe, expect, it } from 'vitest';
import { createSshMetrics } from './instruments.ts';

describe('createSshMetrics', () => {
  it('counts reconnects from 0 for each way to end', () => {
    using telemetry = new RecordingTelemetry();
    createSshMetrics('rds-1');
    for (const status of ['success', 'failure']) {
      const attributes = { 'reattach.storage.backend': 'rds-1', 'reattach.backend.reconnect.status': status };
      expect(telemetry.total('reattach.backend.reconnects', attributes)).toBe(0);
    }
  });

  it('observes the age of the last reading, in seconds, and its unattributed sessions, once there is one and until disposed', async () => {
    using telemetry = new RecordingTelemetry();
    let reading: { readonly ageMs: number; readonly unattributed: number } | undefined;
    const observing = createSshMetrics('rds-1').observeReading(() => reading);
    expect(await telemetry.collect()).toEqual([]);
    reading = { ageMs: 61_500, unattributed: 2 };
    expect(await telemetry.collect()).toEqual([
      {
        instrument: 'reattach.backend.reading.age',
        value: 61.5,
        attributes: { 'reattach.storage.backend': 'rds-1' },
      },
      {
        instrument: 'reattach.backend.unattributed_sessions',
        value: 2,
        attributes: { 'reattach.storage.backend': 'rds-1' },
      },
    ]);
    observing[Symbol.dispose]();
    expect(await telemetry.collect()).toEqual([]);
  });
});

import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { PassFixture } from '../../test/pass-fixture.ts';
import { AttachmentReconciler } from '../loop/attachment-reconciler.ts';
import { MODES } from '../model/policy.ts';
import { RecordingTelemetry } from '../testing/recording-telemetry.ts';

// One for the whole file: a tracer asks for its provider once.
const telemetry = new RecordingTelemetry();
beforeEach(() => void (telemetry.spans.length = 0));
afterAll(() => telemetry[Symbol.dispose]());

const HANG_MS = 10_000;
const rootSpans = () => telemetry.spans.filter(({ name }) => name === 'reconcile attachments').length;

describe('a backend that hangs for 10 s', () => {
  it.each(MODES)('causes at most 5 passes and 5 root spans in mode %s', async (mode) => {
    const f = new PassFixture({ mode });
    const { clock } = f;
    const hang = Promise.withResolvers<void>();
    f.backend.before = () => hang.promise;
    const reconciler = new AttachmentReconciler({ pass: f.pass, clock });
    const started = reconciler.start(f.abort.signal);
    for (let ms = 0; ms < HANG_MS; ms += 100) await clock.advance(100);
    await started;
    expect(f.backend.observations).toHaveLength(1);
    expect(rootSpans()).toBeGreaterThan(0);
    hang.resolve();
    await f.settled();
    await clock.advance(1);
    expect(f.report.decisions.map(({ evidence: { kind } }) => kind)).toEqual(['silent']);
    expect(rootSpans()).toBeLessThanOrEqual(5);
    await reconciler.stop();
  });
});

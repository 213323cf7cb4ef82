import { RecordingTelemetry } from '@reattach/core/testing';
import { describe, expect, it } from 'vitest';
import { fakeBackend } from '../test/support/fake-backend.ts';
import { probeCapabilities } from './capabilities.ts';
import { unfenceEntries } from './fence-effects.ts';
import { readSnapshot } from './read-snapshot.ts';

const NEVER = new AbortController().signal;
const FENCE = {
  id: '00c0ffee',
  nodeName: 'node-a',
  nodeUid: 'uid-a',
  inForce: [],
  fencedAtMs: 0,
  seenSinceMs: 0,
  addresses: [],
};

/** Reads the backend in every way there is: what it can do, all of it, and the fence list. */
async function readAll({ client, session }: ReturnType<typeof fakeBackend>): Promise<void> {
  const capabilities = await probeCapabilities(client, session, NEVER);
  const { dialect } = capabilities;
  await readSnapshot(client, session, capabilities, NEVER);
  await unfenceEntries(async () => ({ backend: 'rds-1', client, session, dialect, signal: NEVER }), FENCE);
}

describe('RouterOsClient', () => {
  it.each<[string, Record<string, unknown>, string, string]>([
    [
      'a version that is too old',
      { resource: { version: '7.15', uptime: '1d' } },
      'version',
      'UNSUPPORTED_VERSION',
    ],
    ['a record without a key', { raw: [{ action: 'drop' }] }, 'read backend', 'MALFORMED'],
    ['two records instead of one', { tracking: [{}, {}] }, 'read sessions', 'MALFORMED'],
    ['an entry without its flags', fencesFailAt(2), 'read fences', 'MALFORMED'],
  ])('records a complete reply with %s as a failure of its command', async (_, rows, command, errorType) => {
    using telemetry = new RecordingTelemetry();
    await expect(readAll(fakeBackend(rows))).rejects.toMatchObject({ code: errorType });
    const failedSpans = telemetry.spans.filter(({ attributes }) => 'error.type' in attributes);
    expect(failedSpans).toMatchObject([
      { name: `exec ${command}`, attributes: { 'error.type': errorType }, ended: true },
    ]);
    const failed = telemetry.measurements.filter(({ attributes }) => 'error.type' in attributes);
    expect(failed).toMatchObject([
      {
        instrument: 'reattach.ssh.command.duration',
        attributes: { 'reattach.ssh.command': command, 'error.type': errorType },
      },
    ]);
  });

  it('records nothing as a failure when every reply is what was asked for', async () => {
    using telemetry = new RecordingTelemetry();
    await readAll(fakeBackend());
    expect(telemetry.spans.map(({ name }) => name)).toEqual(
      ['version', 'probe serialize', 'probe stats', 'read backend', 'read sessions', 'read fences'].map(
        (command) => `exec ${command}`,
      ),
    );
    expect(telemetry.measurements.filter(({ attributes }) => 'error.type' in attributes)).toEqual([]);
  });
});

/** The fence list is well until it is read for the `time`th time. */
function fencesFailAt(time: number): Record<string, unknown> {
  let reads = 0;
  return { fences: () => (++reads === time ? [{ address: '10.0.5.1' }] : []) };
}

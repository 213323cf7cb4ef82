import { RecordingTelemetry } from '@reattach/core/testing';
import { describe, expect, it } from 'vitest';
import { fakeBackend } from '../test/support/fake-backend.ts';
import { probeCapabilities } from './capabilities.ts';
import { unfenceEntries } from './fence-effects.ts';
import { readNetwork, readSnapshot } from './read-snapshot.ts';

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
  const network = await readNetwork(client, session, capabilities, NEVER);
  await readSnapshot(client, session, capabilities, { network, knownPorts: [4420] }, NEVER);
  await unfenceEntries(
    async () => ({ backend: 'rds-1', client, session, dialect, exportPorts: [4420], signal: NEVER }),
    FENCE,
  );
}

describe('RouterOsClient', () => {
  it.each<[string, Record<string, unknown>, string, string]>([
    [
      'a version that is too old',
      { resource: { version: '7.15', uptime: '1d' } },
      'version',
      'UNSUPPORTED_VERSION',
    ],
    ['a record without a key', { resource: resourceFailsAt(3) }, 'read backend', 'MALFORMED'],
    ['two records instead of one', { tracking: [{}, {}] }, 'read sessions', 'MALFORMED'],
    ['a list that is none', fencesFailAt(2), 'read fences', 'MALFORMED'],
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
      [
        'version',
        'probe serialize',
        'probe stats',
        'probe network',
        'probe network',
        'probe network',
        'probe network',
        'probe network',
        'read network',
        'read backend',
        'read sessions',
        'read fences',
      ].map((command) => `exec ${command}`),
    );
    expect(telemetry.measurements.filter(({ attributes }) => 'error.type' in attributes)).toEqual([]);
  });
});

/** The resource is well until it is read for the `time`th time: by two probes before the reading. */
function resourceFailsAt(time: number): () => unknown {
  let reads = 0;
  return () => (++reads === time ? { version: '7.24.2' } : { version: '7.24.2', uptime: '1d' });
}

/** The fence list is well until it is read for the `time`th time. */
function fencesFailAt(time: number): Record<string, unknown> {
  let reads = 0;
  return { fences: () => (++reads === time ? 'none' : []) };
}

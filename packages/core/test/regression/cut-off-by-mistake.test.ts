/** Addresses that are not the lost node's alone, or that its backend does not serve. @see design section 4 */
import { describe, expect, it } from 'vitest';
import { PassReporter } from '../../src/report/pass-reporter.ts';
import { nodeFact, podFact } from '../../src/testing/fact-builders.ts';
import { RecordingEventRecorder } from '../../src/testing/recording-event-recorder.ts';
import { RecordingLogger } from '../../src/testing/recording-logger.ts';
import { PassFixture } from '../pass-fixture.ts';

const cutOff = (f: PassFixture) =>
  f.report.cleanups.flatMap((each) =>
    each.kind === 'keep-fence' ? (each.cutsOff ?? []).map(({ name }) => name) : [],
  );

describe('a Ready node whose address is fenced for another node', () => {
  it.each([{}, { clusterId: 'another' }, { owner: 'other.example' }])(
    'is found, also where another controller fenced it: %j',
    async (owner) => {
      const f = new PassFixture({}, { clusterId: () => 'this' });
      const fence = f.backend.fences.get('fence-0');
      if (fence) f.backend.fences.set('fence-0', { ...fence, ...owner });
      f.setNode(nodeFact({ name: 'node-b', storageAddresses: ['10.0.0.2', 'address-of-node-a'] }));
      await f.run();
      expect(cutOff(f)).toEqual(['node-b']);
    },
  );

  it('is none that only had the address before, that is the fenced machine, or that is lost', async () => {
    const f = new PassFixture();
    const former = [{ address: 'address-of-node-a', lostAtMs: f.clock.now() }];
    const storageAddresses = ['address-of-node-a'];
    f.setNode(nodeFact({ name: 'node-b', storageAddresses, formerAddresses: former }));
    f.setNode(nodeFact({ name: 'node-c', storageAddresses, ready: false }));
    await f.run();
    expect(cutOff(f)).toEqual([]);
  });

  it('gets a Warning on it in every pass, and one line in the log', async () => {
    const f = new PassFixture();
    f.setNode(nodeFact({ name: 'node-b', storageAddresses: ['address-of-node-a'] }));
    await f.runFor(2);
    const events = new RecordingEventRecorder();
    const logger = new RecordingLogger();
    await using reporter = new PassReporter({ events, logger });
    for (const report of f.reports) reporter.passed(report, f.abort.signal);
    const warnings = events.events.filter(({ reason }) => reason === 'NodeAddressFenced');
    expect(warnings).toHaveLength(f.reports.length);
    expect(warnings[0]).toMatchObject({
      type: 'Warning',
      regarding: { kind: 'Node', name: 'node-b', uid: 'uid-of-node-b' },
      message: expect.stringMatching(/address-of-node-a.*node-b.*node-a.*fence-0/),
    });
    const lines = logger.lines.filter(
      ({ message }) => message === 'Found node whose address is fenced for another node',
    );
    expect(lines).toHaveLength(1);
  });
});

describe('an IPv6 address of a dual-stack node', () => {
  const dual = { storageAddresses: ['10.0.0.1', 'fd00::1'] };

  it('is not fenced at a backend that serves IPv4 only; the fence is complete without it, and is not restored', async () => {
    const f = PassFixture.unfenced();
    f.backend.capabilities = { ...f.backend.capabilities, ipVersions: [4] };
    f.setNode({ ...f.lost, ...dual });
    f.cluster.setPod(podFact({ hostAddresses: ['10.0.0.1'] }));
    await f.runFor(10);
    expect(f.backend.calls).toMatchObject([{ kind: 'fence', addresses: ['10.0.0.1'] }]);
    expect(f.writes).toContain('removeVolumesInUse node-a');
  });

  it('is fenced at a backend that serves both', async () => {
    const f = PassFixture.unfenced();
    f.setNode({ ...f.lost, ...dual });
    await f.runFor(2);
    expect(f.backend.calls).toMatchObject([{ kind: 'fence', addresses: ['10.0.0.1', 'fd00::1'] }]);
  });
});

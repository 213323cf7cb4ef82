import { ForcedCommand } from '../target/forced-command.ts';
import { until } from '../until.ts';
import { LabMachines } from '../world/lab-machines.ts';
import type { Story, Summary } from '../world/story.ts';

const RECORD = 'id=0123abcd node=node-a';

/** Proves the script on a real kernel, without a controller. Never rejects: a problem is in the summary. */
export async function proveForcedCommand(story: Story): Promise<Summary> {
  const problems: string[] = [];
  let overwrites = 0;
  try {
    await using lab = await LabMachines.start({ hosts: ['node-a'], volumes: 1 }, story);
    await prove(lab, story).catch((err: unknown) => problems.push(String(err)));
    ({ overwrites } = lab);
  } catch (err) {
    problems.push(String(err));
  }
  const ok = problems.length === 0 && overwrites === 0;
  const result = { released: 0, overwrites, faultToReleasedMs: null };
  const summary: Summary = { kind: 'summary', scenario: 'forced-command', ...result, ok, problems };
  story.sum(summary);
  return summary;
}

async function prove(lab: LabMachines, story: Story): Promise<void> {
  const [volume] = lab.volumes;
  const host = lab.host('node-a');
  if (!volume) throw new TypeError('Expected a volume');
  const { address } = host.machine;
  using command = await ForcedCommand.open(lab.target.controlAddress, lab.image);
  const startedAtMs = Date.now();
  await command.request('read', 'ports=4420');
  story.tell('seen', `a reading takes ${Date.now() - startedAtMs} ms`);
  await host.mount(volume);
  await until('the host to write', 120_000, () => (volume.oracle.newest(1)?.round ?? 0) > 2);
  const sockets = await command.sockets([address]);
  expect(
    sockets.length > 0 && sockets.every(({ state }) => state === 'ESTAB'),
    `sockets of node-a: ${JSON.stringify(sockets)}`,
  );

  const fence = `ports=4420 addresses=${address},fd00:9::21 ${RECORD}`;
  await command.request('fence', fence);
  story.fault('node-a is fenced while it writes');
  await until(
    'the sockets of node-a to end',
    120_000,
    async () => (await command.sockets([address])).length === 0,
    500,
  );
  const last = volume.oracle.newest(1)?.round;
  story.tell('seen', `no socket of node-a is left; the last round on the disk is ${String(last)}`);
  await pause(15_000);
  expect(volume.oracle.newest(1)?.round === last, 'node-a wrote although it had no socket');
  expect((await command.sockets([address])).length === 0, 'node-a connected although it is fenced');

  await lab.target.shell.run('nft flush ruleset');
  const flushed = await command.request('read', 'ports=4420');
  expect(flushed.get('table')?.status === 'missing', 'a reading does not show that the table is gone');
  expect(flushed.get('fences')?.lines.length === 2, 'a reading does not show the recorded fences');
  const restored = await command.request('fence', fence);
  expect(restored.get('changed')?.lines[0] === 'entries\t0', 'a repeated fence added entries');
  expect(restored.get('table')?.lines[0]?.includes(`"${address}"`) ?? false, 'the table was not restored');
  story.tell('seen', 'the table was flushed and restored by the next fence');

  await lab.target.powerOff();
  story.tell('fault', 'the target loses its power');
  await lab.target.start();
  using again = await ForcedCommand.open(lab.target.controlAddress, lab.image);
  const booted = await again.request('read', 'ports=4420');
  expect(
    booted.get('table')?.lines[0]?.includes(`"${address}"`) ?? false,
    'the fence did not survive a reboot of the target',
  );
  await pause(15_000);
  expect((await again.sockets([address])).length === 0, 'node-a connected after the reboot of the target');
  story.tell('seen', 'the fence survived a reboot of the target');

  const lifted = await again.request('unfence', 'id=0123abcd');
  expect(lifted.get('changed')?.lines[0] === 'entries\t2', 'the fence was not removed');
  await until('node-a to write again', 120_000, () => (volume.oracle.newest(1)?.round ?? 0) > (last ?? 0));
  story.tell('seen', 'node-a was let back and writes again');
}

function expect(holds: boolean, problem: string): void {
  if (!holds) throw new Error(problem);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

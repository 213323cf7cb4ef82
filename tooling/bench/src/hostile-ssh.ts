import { monitorEventLoopDelay } from 'node:perf_hooks';
import { systemClock } from '@reattach/core';
import { RdsSim } from '@reattach/rds-sim';
import { createSshDial, parseHostKeyPin } from '@reattach/ssh-transport';
import { startHostileSshServer } from '@reattach/ssh-transport/testing';
import { printTable } from './table.ts';

const DIALS = 50;
const MB = 1_024 * 1_024;

/** How long a handshake blocks the event loop: with a backend, and with a peer that offers a large prime. */
export async function hostileSsh(): Promise<void> {
  await using rds = await RdsSim.start({ address: '10.0.0.10', tracking: { enabled: 'yes' } });
  await using hostile = await startHostileSshServer();
  const { hostKey, credentials } = rds;
  const measure = async (title: string, port: number): Promise<readonly string[]> => {
    const dial = createSshDial({
      host: '127.0.0.1',
      port,
      user: credentials.username,
      privateKey: credentials.privateKey,
      hostKey: parseHostKeyPin(hostKey),
      commandTimeoutMs: 10_000,
      clock: systemClock,
    });
    const { signal } = new AbortController();
    const ended = new Map<string, number>();
    const loop = monitorEventLoopDelay({ resolution: 1 });
    loop.enable();
    let mostCpuMs = 0;
    for (let index = 0; index < DIALS; index++) {
      const before = process.cpuUsage();
      const end = await dial(signal).then(
        async (session) => {
          await session.close();
          return 'connected';
        },
        (err: unknown) => (err instanceof Error ? err.message : String(err)),
      );
      const { user, system } = process.cpuUsage(before);
      mostCpuMs = Math.max(mostCpuMs, (user + system) / 1_000);
      ended.set(end, (ended.get(end) ?? 0) + 1);
    }
    loop.disable();
    const memoryMb = process.memoryUsage.rss() / MB;
    const numbers = [loop.max / 1e6, mostCpuMs, memoryMb].map((value) => value.toFixed(0));
    return [title, ...numbers, [...ended.keys()].join('; ')];
  };
  printTable(`Hostile SSH: ${DIALS} handshakes, both ends in one process`, [
    ['peer', 'longest block, ms', 'most CPU per handshake, ms', 'resident, MB', 'end'],
    await measure('warm-up', rds.port),
    await measure('backend', rds.port),
    await measure('only group exchange', hostile.port),
    ['goal', '<= 100', '', '< 256', ''],
  ]);
}

import { readFileSync } from 'node:fs';
import { KubeSim } from '@reattach/kube-sim';
import { RdsSim } from '@reattach/rds-sim';
import { BUNDLE_MAIN, Controller, SOURCE_MAIN } from './controller.ts';
import { median } from './measure.ts';
import { printTable } from './table.ts';

const RUNS = 5;
const IDLE_MS = 20_000;
const DRIVER = 'rds.csi.srvlab.io';
const BACKEND_ADDRESS = '10.0.0.10';
/** Unit of the CPU times in `/proc`, ms; 100 a second on every Linux Node.js runs on. */
const TICK_MS = 10;

/**
 * From the start of the process to `/readyz` 200 on a small cluster, and what it takes while idle. The bundle is what the image
 * runs; the sources are the baseline. Needs `pnpm build` first, and Linux.
 */
export async function startUp(): Promise<void> {
  await using kube = await KubeSim.start();
  await using rds = await RdsSim.start({ address: BACKEND_ADDRESS, tracking: { enabled: 'yes' } });
  rds.device.addDropRule();
  for (const name of ['node-a', 'node-b', 'node-c']) kube.addNode({ name });
  const measure = async (main: string) => {
    const times: number[] = [];
    let idle = { residentMb: Number.NaN, cpuPercent: Number.NaN };
    for (let run = 1; run <= RUNS; run++) {
      await using controller = await Controller.start({
        kubeconfig: kube.kubeconfig(),
        rds,
        driver: DRIVER,
        storageAddress: BACKEND_ADDRESS,
        main,
        flags: ['--mode=fence'],
      });
      times.push(controller.readyAfterMs);
      if (run === RUNS)
        idle = { cpuPercent: await cpuPercent(controller.pid), residentMb: controller.memoryMb('VmRSS') };
    }
    return { readyMs: median(times), ...idle };
  };
  const bundle = await measure(BUNDLE_MAIN);
  const sources = await measure(SOURCE_MAIN);
  printTable(`Start-up: three nodes, one backend, median of ${RUNS}`, [
    ['', 'bundle', 'sources', 'goal'],
    ['process start -> ready, ms', bundle.readyMs.toFixed(0), sources.readyMs.toFixed(0), '<= 2000'],
    ['resident while idle, MB', bundle.residentMb.toFixed(0), sources.residentMb.toFixed(0), '<= 200'],
    ['CPU while idle, % of a core', bundle.cpuPercent.toFixed(2), sources.cpuPercent.toFixed(2), '< 1'],
  ]);
}

async function cpuPercent(pid: number): Promise<number> {
  const before = cpuOf(pid);
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
  return ((cpuOf(pid) - before) / IDLE_MS) * 100;
}

/** User and system time of a process so far, ms. @see proc(5), fields 14 and 15 of `/proc/PID/stat` */
function cpuOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const [user, system] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13);
  return (Number(user) + Number(system)) * TICK_MS;
}

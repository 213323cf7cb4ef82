import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { RdsSim } from '@reattach/rds-sim';
import { BUNDLE_MAIN, Controller } from './controller.ts';
import { COUNTS, UPDATES, UPDATES_PER_SECOND } from './informers-objects.ts';
import { printTable } from './table.ts';

const RUNS = 3;
/** What the updates take, and a little more. */
const UPDATES_MS = (UPDATES / UPDATES_PER_SECOND) * 1_000 + 2_000;
const DRIVER = 'rds.csi.srvlab.io';
const BACKEND_ADDRESS = '10.0.0.10';

/** How the API server hands out its lists. */
type Lists = 'streams' | 'pages';

/** Memory of the bundle, started as in the image, on the objects of `informers`. Needs `pnpm build` first, and Linux. */
export async function resident(): Promise<void> {
  const rows = [...(await measure('streams')), ...(await measure('pages'))];
  const { nodes, volumeAttachments, persistentVolumes, pods } = COUNTS;
  printTable(
    `Resident memory: ${nodes} nodes, ${volumeAttachments} VolumeAttachments, ${persistentVolumes} PersistentVolumes, ${pods} pods`,
    [
      [
        'lists come in',
        'start -> ready, s',
        'resident then, MB',
        `after ${UPDATES} Node updates, MB`,
        'peak, MB',
        'goal',
      ],
      ...rows,
    ],
  );
}

/** A row for each run. */
async function measure(lists: Lists): Promise<readonly (readonly string[])[]> {
  await using rds = await RdsSim.start({ address: BACKEND_ADDRESS, tracking: { enabled: 'yes' } });
  rds.device.addDropRule();
  const server = fork(fileURLToPath(new URL('./informers-server.ts', import.meta.url)), [lists], {
    execArgv: ['--conditions=source', '--expose-gc'],
  });
  try {
    const [kubeconfig] = (await once(server, 'message')) as [string];
    const rows: string[][] = [];
    for (let run = 0; run < RUNS; run++) {
      await using controller = await Controller.start({
        kubeconfig,
        rds,
        driver: DRIVER,
        storageAddress: BACKEND_ADDRESS,
        main: BUNDLE_MAIN,
        flags: ['--mode=observe'],
      });
      const readyMb = controller.memoryMb('VmRSS');
      server.send('update');
      await new Promise((resolve) => setTimeout(resolve, UPDATES_MS));
      rows.push([
        lists,
        (controller.readyAfterMs / 1_000).toFixed(1),
        readyMb.toFixed(0),
        controller.memoryMb('VmRSS').toFixed(0),
        controller.memoryMb('VmHWM').toFixed(0),
        '<= 200',
      ]);
    }
    return rows;
  } finally {
    server.kill();
  }
}

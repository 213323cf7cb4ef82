import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { IMAGE_ENV, IMAGE_FLAGS } from './image.ts';
import type { ClientReport, Implementation } from './informers-client.ts';
import { COUNTS } from './informers-objects.ts';
import { printTable } from './table.ts';

/** Initial sync, memory, CPU and latency of our caches next to the library's own informers, on the same API server. */
export async function informers(): Promise<void> {
  const server = fork(fileURLToPath(new URL('./informers-server.ts', import.meta.url)), [], {
    execArgv: ['--conditions=source', '--expose-gc'],
  });
  try {
    const [config] = (await once(server, 'message')) as [string];
    await using folder = await mkdtempDisposable(join(tmpdir(), 'reattach-bench-'));
    const kubeconfig = join(folder.path, 'kubeconfig');
    await writeFile(kubeconfig, config);
    const measure = async (implementation: Implementation): Promise<ClientReport> => {
      const client = fork(
        fileURLToPath(new URL('./informers-client.ts', import.meta.url)),
        [implementation, kubeconfig],
        { execArgv: ['--conditions=source', ...IMAGE_FLAGS], env: { ...process.env, ...IMAGE_ENV } },
      );
      client.on('message', (message) => {
        if (message === 'synced') server.send('update');
      });
      const report = new Promise<ClientReport>((resolve) => {
        client.on('message', (message) => {
          if (typeof message === 'object') resolve(message as ClientReport);
        });
      });
      const failed = once(client, 'exit').then(([code]): never => {
        throw new Error(`the ${implementation} client ended with ${code}`);
      });
      return Promise.race([report, failed]).finally(() => client.kill());
    };
    const library = await measure('library');
    const ours = await measure('ours');
    const row = (name: string, key: keyof ClientReport, goal: string) => [
      name,
      ours[key].toFixed(1),
      library[key].toFixed(1),
      (ours[key] / library[key]).toFixed(2),
      goal,
    ];
    const { nodes, volumeAttachments, persistentVolumes, pods } = COUNTS;
    printTable(
      `Informers: ${nodes} nodes of 15 kB, ${volumeAttachments} VolumeAttachments of 1.5 kB, ${persistentVolumes} PersistentVolumes of 2 kB, ${pods} pods of 6 kB`,
      [
        ['', 'ours', 'client-node', 'ratio', 'goal'],
        row('initial sync, s', 'syncS', '<= 1.00 of client-node'),
        row('resident after sync, MB', 'residentMb', '<= 0.25 of client-node'),
        row('of it for the objects, MB', 'objectsMb', '<= 0.25 of client-node'),
        row('heap after sync, MB', 'heapMb', ''),
        row('of it for the objects, MB', 'objectsHeapMb', '<= 0.25 of client-node'),
        row('CPU per 1,000 node updates, ms', 'cpuMsPer1000', ''),
        row('event to handler p50, ms', 'latencyP50Ms', ''),
        row('event to handler p99, ms (500 events/s)', 'latencyP99Ms', '<= 20'),
      ],
    );
  } finally {
    server.kill();
  }
}

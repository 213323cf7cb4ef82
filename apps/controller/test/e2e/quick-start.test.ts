import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { until } from '@reattach/sim-world';
import type { StateReport } from '@reattach/status-page';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assets, E2eCluster } from './support/e2e-cluster.ts';
import { ShellSession } from './support/shell-session.ts';
import { Stage } from './support/stage.ts';
import { document, documented, shapeOf } from './support/transcript.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
/** Times are those of production: grace, silence and quiesce. */
const WAIT_MS = 300_000;
const TEST_MS = 300_000;
const PODS = 'kubectl get pods -o custom-columns=POD:.metadata.name,NODE:.spec.nodeName,STATUS:.status.phase';
const ATTACHMENTS =
  'kubectl get volumeattachments --sort-by=.spec.source.persistentVolumeName -o custom-columns=PV:.spec.source.persistentVolumeName,NODE:.spec.nodeName,ATTACHED:.status.attached';

/** What the quick start tells to do, typed into a shell; with production's own times and no flag that is not in the text. */
describe.skipIf(assets === undefined)('docs/quick-start.md', () => {
  let cluster: E2eCluster;
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'reattach-quick-start-'));
    cluster = await E2eCluster.start();
  });
  afterAll(async () => {
    await cluster[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  it(
    'leads from nothing to an observed stale attachment, and to its release',
    async () => {
      await using stage = await Stage.start(cluster, { name: 'shop' });
      const { rds } = stage;
      await writeFile(join(folder, 'id_ed25519'), rds.credentials.privateKey, { mode: 0o600 });
      await writeFile(join(folder, 'host-key'), rds.hostKey);
      await writeFile(join(folder, 'reattach.yaml'), configuration(stage));
      const port = await freePort();
      await using shell = new ShellSession(folder, await environment(cluster, folder, port));
      const state = (): Promise<StateReport | undefined> =>
        fetch(`http://127.0.0.1:${port}/state?attachments=lost`)
          .then((response) => response.json() as Promise<StateReport>)
          .catch(() => undefined);
      const leads = async () => (await state())?.lastPass !== undefined;

      await shell.run('cat reattach.yaml');
      await shell.run('reattach doctor');
      await shell.run('reattach run > reattach.log &');
      await until('the controller to lead', WAIT_MS, leads);
      await shell.run('reattach status');
      await shell.run(PODS);

      const node = stage.nodes.find((each) => stage.podsOn(each).includes('shop-0')) ?? stage.node('a');
      shell.say(`Node ${node.name} loses power. Kubernetes marks it NotReady; half a minute later:`);
      await stage.powerOff(node);
      await until('the dry run', WAIT_MS, async () => {
        const [attachment] = (await state())?.attachments ?? [];
        return attachment?.why.includes('would release') === true && attachment.sinceMs !== undefined;
      });
      await shell.run(`kubectl get node ${node.name}`);
      await shell.run('reattach status');
      await shell.run('reattach explain default/data-shop-0');

      shell.say('That is right. From now on cut such a node off, and let its volume go.');
      await shell.run("sed -i 's/mode: observe/mode: fence/' reattach.yaml");
      await shell.run('kill $!; wait $!; reattach run >> reattach.log &');
      await stage.untilSettled(node, WAIT_MS);
      shell.say('A few seconds later:');
      await shell.run(ATTACHMENTS);
      await shell.run(PODS);
      await shell.run('reattach history');
      await shell.run('reattach status');

      shell.say('The node is switched on again, has booted and is Ready.');
      node.host.boot();
      node.kubelet.rebooted();
      await node.kubelet.start();
      await until('the fence to go', WAIT_MS, () => stage.fences().length === 0);
      await shell.run('reattach history --limit 1');
      await shell.run('kill $!; wait $!');
      expect(rds.oracle.doubleWrites).toBe(0);

      if (process.env['WRITE_TRANSCRIPT'] !== undefined) document(shell.transcript);
      expect(shapeOf(shell.transcript)).toBe(shapeOf(documented()));
    },
    TEST_MS,
  );
});

/** Below those that envtest takes and the system hands out. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(10_000, 20_000);
    const server = createServer().listen(port, '127.0.0.1');
    try {
      await once(server, 'listening');
      return port;
    } catch {
      // taken: another one
    } finally {
      server.close();
    }
  }
}

/** SSH goes to one address of the backend; PersistentVolumes name another. */
function configuration({ rds }: Stage): string {
  return `mode: observe
rds:
  address: ${rds.host}:${rds.port}
  user: ${rds.credentials.username}
  privateKeyFile: id_ed25519
  hostKeyFile: host-key
  storageAddresses: ${rds.device.address}
`;
}

async function environment(
  { envtest }: E2eCluster,
  folder: string,
  port: number,
): Promise<Readonly<Record<string, string>>> {
  const bin = join(folder, 'bin');
  await mkdir(bin);
  const command = join(bin, 'reattach');
  await writeFile(command, `#!/bin/sh\nexec '${process.execPath}' --conditions=source '${MAIN}' "$@"\n`);
  await chmod(command, 0o755);
  const { PATH = '' } = process.env;
  return {
    PATH: [bin, assets, PATH].join(':'),
    HOME: folder,
    KUBECONFIG: envtest.kubeconfigPath,
    REATTACH_CONFIG: 'reattach.yaml',
    REATTACH_HTTP_LISTEN: `127.0.0.1:${port}`,
  };
}

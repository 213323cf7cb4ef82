import { existsSync, readFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BackendKind, COMPRESSED_FLAGS, COMPRESSED_TIMES, SimWorld, until } from '@reattach/sim-world';
import type { StateReport } from '@reattach/status-page';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ShellSession } from '../e2e/support/shell-session.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const WAIT_MS = 120_000;
const SSH_TOOLS = ['/usr/bin/ssh-keygen', '/usr/bin/ssh-keyscan'];
const hasSshTools = SSH_TOOLS.every((path) => existsSync(path));
if (!hasSshTools) console.warn(`Skipped: no ${SSH_TOOLS.join(' or ')}`);

/** The backend closes the queues of a dead host long after the fence, so that it is seen closing them, however busy this machine is. */
const TIMES = { ...COMPRESSED_TIMES, keepAliveTimeoutMs: 20_000 };
const ACTIVITY_WINDOW_MS = 15_000;

interface QuickStart {
  readonly file: string;
  readonly kind: BackendKind;
  /** The name that the document gives the backend. */
  readonly host: string;
  readonly driver: string;
}

const QUICK_STARTS: readonly QuickStart[] = [
  { file: 'quick-start.md', kind: 'rds', host: 'backend.example.org', driver: 'rds.csi.srvlab.io' },
  {
    file: 'quick-start-linux.md',
    kind: 'linux-nvmet',
    host: 'nas.example.org',
    driver: 'org.democratic-csi.nvmeof',
  },
];

/**
 * The commands of both quick starts, typed into a shell with an empty HOME and without KUBECONFIG: the cluster's login is where kubectl
 * has it. Left out are the installation and the build. `ssh` and `scp` to the administrator are recorded; `ssh-keyscan` asks the simulator.
 */
describe.skipIf(!hasSshTools).each(QUICK_STARTS)('docs/$file', ({ file, kind, host, driver }) => {
  let folder: string;
  let world: SimWorld;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'reattach-quick-start-'));
    const uploaded = join(folder, 'uploaded.pub');
    const user = {
      name: 'reattach',
      /** None before the document has uploaded one. */
      get publicKeys() {
        return existsSync(uploaded)
          ? [
              readFileSync(uploaded, 'utf8')
                .replace(/^.*(?=ssh-ed25519)/, '')
                .trim(),
            ]
          : [];
      },
    };
    world = await SimWorld.start({ volumes: 3, backend: kind, driver, times: TIMES, rds: { users: [user] } });
  });
  afterEach(async () => {
    await world[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  it('leads from nothing to mode observe, and to a release in mode fence', { timeout: 300_000 }, async () => {
    const port = await freePort();
    await using shell = new ShellSession(folder, await environment(folder, world, kind, port));
    const state = async (): Promise<StateReport | undefined> => {
      try {
        const response = await fetch(`http://127.0.0.1:${port}/state?attachments=lost`);
        return (await response.json()) as StateReport;
      } catch {
        return undefined;
      }
    };
    const type = async (block: string) => {
      for (const command of commandsOf(block, host, world)) await shell.run(command);
    };
    const [setUp = '', observe = '', status = '', died = '', fence = '', history = ''] = blocksOf(file);

    await type(setUp);
    expect((await readFile(join(folder, 'host-key'), 'utf8')).trim()).toContain('ssh-ed25519');
    await type(observe);
    await until('a first pass', WAIT_MS, async () => (await state())?.lastPass !== undefined);
    await type(status);
    expect(shell.transcript).toMatch(/mode observe: 3 attachments, all on nodes that are Ready/);

    const victim =
      world.nodes.find(({ name }) => world.attachedTo(name).includes('pvc-00000000'))?.name ?? '';
    world.powerOff(victim);
    await until('the dry run', WAIT_MS, async () => (await state())?.attachments[0]?.reason === 'dry-run');
    await type(died);
    expect(shell.transcript).toMatch(/mode observe: 3 attachments, 1 on lost nodes/);
    expect(shell.transcript).toMatch(/\n {2}decided {2}/);

    world.powerOn(victim);
    await until(
      'the node to be back',
      WAIT_MS,
      async () => (await state())?.attachments.length === 0 && world.isSettled,
    );
    await type(fence);
    expect(shell.transcript).toContain('Proved: the entry 192.0.2.1');
    expect(shell.transcript).not.toContain('FAILED');
    await until('a pass in mode fence', WAIT_MS, async () => {
      const report = await state();
      return report?.mode === 'fence' && report.lastPass !== undefined && report.backends[0]?.liveHosts === 3;
    });
    world.powerOff(victim);
    await until('the loss to be seen', WAIT_MS, async () => (await state())?.attachments.length !== 0);

    let held = '';
    await until(
      () => `the volumes to run elsewhere; ${held}`,
      WAIT_MS,
      async () => {
        held = (await state())?.attachments.map(({ why, reason }) => `${reason}: ${why}`).join('; ') ?? '';
        return world.attachedTo(victim).length === 0 && world.isSettled;
      },
    );
    await type(history);
    expect(shell.transcript).toMatch(/fenced .*\n.*(deleted pod|released)/);
    const proof = /fence effective: [^\n(]+/.exec(shell.transcript)?.[0].trim() ?? 'no proof in the history';
    const log = await readFile(join(folder, 'reattach.log'), 'utf8');
    expect(log).toContain(proof);
    const events = world.kube.store.list('Event').map((event) => JSON.stringify(event));
    expect(events.filter((event) => event.includes(proof)).length).toBeGreaterThan(0);
    await shell.run('kill $!; wait $!');
    expect(world.rds.oracle.doubleWrites).toBe(0);
  });
});

/** The `sh` blocks of the sections that are typed. */
function blocksOf(file: string): readonly string[] {
  const text = readFileSync(new URL(`../../../../docs/${file}`, import.meta.url), 'utf8');
  const [typed = ''] = text.split('\n## In the cluster');
  return [...typed.matchAll(/^```sh\n([^]*?)^```$/gm)].map(([, block = '']) => block);
}

/** Commands of a block, a here-document with its text. The backend's address is that of the simulator. */
function commandsOf(block: string, host: string, { rds, backendAddress }: SimWorld): readonly string[] {
  const commands: string[] = [];
  let end: string | undefined;
  for (const line of block.trimEnd().split('\n')) {
    if (end === undefined) commands.push(line);
    else commands.push(`${commands.pop()}\n${line}`);
    if (line === end) end = undefined;
    else end ??= /<<(\w+)$/.exec(line)?.[1];
  }
  const simulated = `address: ${rds.host}:${rds.port}`;
  return commands
    .filter((command) => !/^(npx|alias) /.test(command))
    .map((command) =>
      command.includes('storageAddresses')
        ? command.replace(`address: ${host}`, simulated)
        : command.replace(`address: ${host}`, `${simulated}, storageAddresses: ${backendAddress}`),
    );
}

async function environment(
  folder: string,
  { kube, rds }: SimWorld,
  kind: BackendKind,
  port: number,
): Promise<Readonly<Record<string, string>>> {
  const [bin, home] = [join(folder, 'bin'), join(folder, 'home')];
  await mkdir(bin);
  await mkdir(join(home, '.kube'), { recursive: true });
  await kube.writeKubeconfig(join(home, '.kube', 'config'));
  const tools = {
    reattach: `exec '${process.execPath}' --conditions=source '${MAIN}' "$@"`,
    'ssh-keyscan': `exec ${SSH_TOOLS[1]} -p ${rds.port} -t ed25519 ${rds.host}`,
    scp: `[ "$1" != id_ed25519.pub ] || cp "$1" '${folder}/uploaded.pub'`,
    ssh: `case "$2" in *authorized_keys) cat > '${folder}/uploaded.pub' ;; esac`,
  };
  for (const [name, script] of Object.entries(tools)) {
    await writeFile(join(bin, name), `#!/bin/sh\n${script}\n`);
    await chmod(join(bin, name), 0o755);
  }
  const backendTimes = [
    `activity-window-ms=${ACTIVITY_WINDOW_MS}`,
    'idle-poll-ms=500',
    'writes-still-ms=250',
  ].map((flag) => `--${kind}-${flag}`);
  const times = [...COMPRESSED_FLAGS, ...backendTimes].map((flag) => {
    const [name = '', value = 'true'] = flag.slice(2).split('=');
    return [`REATTACH_${name.replaceAll('-', '_').toUpperCase()}`, value] as const;
  });
  const { PATH = '' } = process.env;
  return {
    ...Object.fromEntries(times),
    PATH: `${bin}:${PATH}`,
    HOME: home,
    REATTACH_HTTP_LISTEN: `127.0.0.1:${port}`,
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

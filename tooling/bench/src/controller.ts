import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { IMAGE_ENV, IMAGE_FLAGS } from './image.ts';

/** Waits that a production controller would refuse: what is measured comes after them. */
const COMPRESSED_FLAGS = [
  '--unsafe-compressed-times',
  '--grace-period-ms=1000',
  '--silent-grace-ms=500',
  '--rds-activity-window-ms=2000',
];

/** What the image runs; needs `pnpm build` first. */
export const BUNDLE_MAIN: string = fileURLToPath(
  new URL('../../../apps/controller/dist/main.mjs', import.meta.url),
);

export const SOURCE_MAIN: string = fileURLToPath(
  new URL('../../../apps/controller/src/main.ts', import.meta.url),
);

/** How the backend is reached. */
export interface BackendAccess {
  readonly host: string;
  readonly port: number;
  readonly hostKey: string;
  readonly credentials: { readonly username: string; readonly privateKey: string };
}

export interface ControllerOptions {
  readonly kubeconfig: string;
  readonly rds: BackendAccess;
  readonly driver: string;
  /** Where volumes say the backend is. */
  readonly storageAddress: string;
  /** Default: the sources. */
  readonly main?: string;
  readonly flags: readonly string[];
}

/** The controller as it runs in production, in a process of its own. */
export class Controller implements AsyncDisposable {
  readonly #process: ChildProcess;
  readonly #cleanup: AsyncDisposableStack;
  /** From the start of the process until `/readyz` said 200. */
  readonly readyAfterMs: number;

  /** Of `/metrics`, `/livez` and the rest. */
  readonly url: string;

  private constructor(child: ChildProcess, url: string, readyAfterMs: number, cleanup: AsyncDisposableStack) {
    this.#process = child;
    this.url = url;
    this.readyAfterMs = readyAfterMs;
    this.#cleanup = cleanup;
  }

  /** Started and ready. */
  static async start(options: ControllerOptions): Promise<Controller> {
    const { rds, driver, storageAddress, main = SOURCE_MAIN, flags } = options;
    await using cleanup = new AsyncDisposableStack();
    const folder = await mkdtemp(join(tmpdir(), 'reattach-bench-'));
    cleanup.defer(() => rm(folder, { recursive: true, force: true }));
    const [kubeconfig, privateKey, hostKey] = ['kubeconfig', 'id_ed25519', 'host-key'].map((name) =>
      join(folder, name),
    ) as [string, string, string];
    await writeFile(kubeconfig, options.kubeconfig, { mode: 0o600 });
    await writeFile(privateKey, rds.credentials.privateKey, { mode: 0o600 });
    await writeFile(hostKey, rds.hostKey);
    const startedAtMs = performance.now();
    const child = spawn(
      process.execPath,
      [
        ...(main === SOURCE_MAIN ? ['--conditions=source'] : []),
        ...IMAGE_FLAGS,
        main,
        ...COMPRESSED_FLAGS,
        `--kubeconfig=${kubeconfig}`,
        `--attacher=${driver}`,
        `--rds-address=${rds.host}:${rds.port}`,
        `--rds-user=${rds.credentials.username}`,
        `--rds-private-key-file=${privateKey}`,
        `--rds-host-key-file=${hostKey}`,
        `--rds-storage-addresses=${storageAddress}`,
        '--leader-election-enabled=false',
        '--http-listen=127.0.0.1:0',
        ...flags,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'], env: IMAGE_ENV },
    );
    cleanup.defer(async () => {
      if (child.exitCode !== null) return;
      child.kill('SIGTERM');
      await once(child, 'exit');
    });
    const url = await urlOf(child);
    while (!(await isReady(url))) await new Promise((resolve) => setTimeout(resolve, 10));
    return new Controller(child, url, performance.now() - startedAtMs, cleanup.move());
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** A line of `/proc/PID/status` in MB: `VmRSS` is resident memory, `VmHWM` its peak. @see proc(5) */
  memoryMb(line: 'VmRSS' | 'VmHWM'): number {
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8');
    return Number(new RegExp(`${line}:\\s+(\\d+) kB`).exec(status)?.[1]) / 1_024;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cleanup.disposeAsync();
  }
}

async function urlOf(child: ChildProcess): Promise<string> {
  if (!child.stdout) throw new TypeError('Expected a pipe from the controller');
  for await (const text of createInterface({ input: child.stdout })) {
    const { url, level, msg } = JSON.parse(text) as { url?: string; level: string; msg: string };
    if (level === 'error') throw new Error(`the controller says: ${msg}`);
    if (url !== undefined) {
      child.stdout.resume();
      return url;
    }
  }
  throw new Error('the controller ended before it listened');
}

async function isReady(url: string): Promise<boolean> {
  const response = await fetch(`${url}/readyz`);
  await response.body?.cancel();
  return response.ok;
}

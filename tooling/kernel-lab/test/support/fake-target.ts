import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const SCRIPT = new URL('../../../../deploy/linux-target/reattach-target', import.meta.url);

/** Everything else that the script runs. */
const TOOLS = 'awk cat date find flock grep mkdir mktemp mv rm sed sleep stat sync touch xargs yes'.split(
  ' ',
);

/** What one run of the forced command printed. */
export interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * A directory that replaces the target's file system, with commands of its own. The installed script reads no
 * variable that could redirect it, so the tests run a copy in which the lines `root=` and `PATH=` were replaced.
 */
export class FakeTarget implements Disposable {
  readonly root: string = mkdtempSync(join(tmpdir(), 'reattach-target-'));
  readonly #script = join(this.root, 'reattach-target');
  readonly #shell: string;

  constructor(shell = '/bin/sh') {
    this.#shell = shell;
    const source = readFileSync(SCRIPT, 'utf8');
    const copy = replaceLine(
      replaceLine(source, "root=''", `root='${this.root}'`),
      'PATH=/usr/sbin:/usr/bin:/sbin:/bin',
      `PATH=${this.root}/bin`,
    );
    this.file('reattach-target', copy);
    this.file('proc/uptime', '1234.56 2000.00\n');
    this.file('proc/sys/kernel/random/boot_id', '0c7f5b6e-7b4c-4c0e-9d53-3c3f2f1d0a11\n');
    this.file('proc/sys/kernel/osrelease', '6.1.0-test\n');
    for (const folder of ['bin', 'run', 'etc']) mkdirSync(join(this.root, folder));
    for (const tool of TOOLS) symlinkSync(pathOf(tool), join(this.root, 'bin', tool));
    this.user(0);
    this.command('ip', 'echo "2: eth0    inet 10.9.0.10/24 brd 10.9.0.255 scope global eth0"');
    this.command('ss', `echo "$@" >>${this.root}/ss.log; cat ${this.root}/ss.out 2>/dev/null; true`);
    this.command(
      'nft',
      `case "$*" in
        "-j list table inet reattach")
          [ -e ${this.root}/table.json ] || { echo "Error: No such file or directory"; exit 1; }
          cat ${this.root}/table.json ;;
        *) { echo "# nft $*"; for file; do :; done; cat "$file"; } >>${this.root}/nft.log; [ ! -e ${this.root}/nft.fails ] || { echo refused; exit 1; } ;;
      esac`,
    );
  }

  file(path: string, content: string): void {
    mkdirSync(dirname(join(this.root, path)), { recursive: true });
    writeFileSync(join(this.root, path), content);
  }

  /** Who runs the script. */
  user(id: number): void {
    this.file('proc/self/status', `Name:\tsh\nUid:\t${id}\t${id}\t${id}\t${id}\n`);
  }

  /** Puts a command of this name first in the script's PATH. */
  command(name: string, body: string): void {
    this.file(join('bin', name), `#!/bin/sh\n${body}\n`);
    chmodSync(join(this.root, 'bin', name), 0o755);
  }

  withoutCommand(name: string): void {
    rmSync(join(this.root, 'bin', name));
  }

  /** `undefined` when the file does not exist. */
  read(path: string): string | undefined {
    return existsSync(join(this.root, path)) ? readFileSync(join(this.root, path), 'utf8') : undefined;
  }

  /** As sshd runs it: the request is in SSH_ORIGINAL_COMMAND. */
  run(request: string, env: Readonly<Record<string, string>> = {}): Run {
    const { status, stdout, stderr } = spawnSync('/usr/bin/env', [this.#shell, this.#script], {
      encoding: 'utf8',
      env: { ...env, SSH_ORIGINAL_COMMAND: request },
      maxBuffer: 32 << 20,
    });
    return { code: status, stdout, stderr };
  }

  /** As sudo or an operator runs it: the request is in the arguments. */
  runArguments(...words: string[]): string {
    return execFileSync(this.#shell, [this.#script, ...words], { encoding: 'utf8', env: {} });
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

function pathOf(tool: string): string {
  const found = ['/usr/bin', '/bin', '/usr/sbin', '/sbin']
    .map((folder) => join(folder, tool))
    .find(existsSync);
  if (found === undefined) throw new TypeError(`${tool} is not installed`);
  return found;
}

function replaceLine(source: string, line: string, replacement: string): string {
  if (!source.includes(`\n${line}\n`)) throw new TypeError(`reattach-target has no line ${line}`);
  return source.replace(`\n${line}\n`, `\n${replacement}\n`);
}

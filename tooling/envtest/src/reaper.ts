import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** Waits for the end of its input, then kills what the `.pid` files name and removes the folder. */
const SCRIPT = `cat >/dev/null
for file in "$0"/*.pid; do [ -f "$file" ] && kill -KILL "$(cat "$file")" 2>/dev/null; done
rm -rf "$0" || { sleep 1; rm -rf "$0"; }`;

/**
 * Cleans up after this process however it ends, SIGKILL included: the operating system then closes the pipe the reaper
 * reads. Disposing stops the reaper and leaves the cleaning to the caller.
 */
export function startReaper(folder: string): AsyncDisposable {
  const child = spawn('/bin/sh', ['-c', SCRIPT, folder], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true, // a Ctrl-C in the terminal must not end it first
  });
  const exited = once(child, 'exit');
  return {
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

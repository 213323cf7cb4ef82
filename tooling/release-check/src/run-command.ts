import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** Longest time of one command, ms: installing the largest consumer took 40 s on two busy cores. */
const TIMEOUT_MS = 600_000;

/**
 * Runs a command without a shell.
 * @returns its standard output
 * @throws {Error} with the command and the end of its output when it fails
 */
export async function runCommand(cwd: string, command: string, args: readonly string[]): Promise<string> {
  try {
    const env = {
      ...process.env,
      CI: 'true',
      NO_COLOR: '1',
      npm_config_audit: 'false',
      npm_config_fund: 'false',
    };
    const { stdout } = await execute(command, args, {
      cwd,
      env,
      timeout: TIMEOUT_MS,
      maxBuffer: 64 * 2 ** 20,
    });
    return stdout;
  } catch (cause) {
    const { stdout = '', stderr = '' } = cause as { stdout?: string; stderr?: string };
    const output = `${stdout}\n${stderr}`.trim().slice(-3_000);
    throw new Error(`"${command} ${args.join(' ')}" failed in ${cwd}:\n${output}`, { cause });
  }
}

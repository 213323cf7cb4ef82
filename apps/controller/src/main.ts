#!/usr/bin/env node
import { readFileSync, statSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { systemClock } from '@reattach/core';
import { unknownCommand } from './cli/about.ts';
import type { CliIo } from './cli/cli-io.ts';
import { COMMANDS } from './cli/commands.ts';
import { helpText } from './cli/help-text.ts';
import { readConfig } from './cli/read-config.ts';
import { runCommand } from './cli/run-command.ts';
import { compose } from './compose.ts';
import { ConfigError } from './config/config-error.ts';
import { refuseExposed } from './config/exposed-file-error.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import { runUntilStopped } from './lifecycle/run-until-stopped.ts';
import { createLogger } from './telemetry/logger.ts';
import { printableLines } from './telemetry/printable.ts';
import { VERSION } from './version.ts';

async function main(args: readonly string[]): Promise<ExitCode> {
  const [first = 'run', ...rest] = args;
  const command = COMMANDS.find(({ name }) => name === first);
  if (command) return runCommand(command, rest, terminalIo());
  if (args.includes('--help') || args.includes('-h')) return print(helpText());
  if (args.includes('--version')) return print(`reattach ${VERSION}\n`);
  if (first.startsWith('-') || first === 'run') return run(first === 'run' ? rest : args);
  process.stderr.write(`${printableLines(unknownCommand(first, COMMANDS))} (see --help)\n`);
  return EXIT.usage;
}

async function run(argv: readonly string[]): Promise<ExitCode> {
  try {
    return await runController(argv);
  } catch (err) {
    if (!(err instanceof ConfigError)) throw err;
    process.stderr.write(`${printableLines(err.message)}\n`);
    return EXIT.usage;
  }
}

function runController(argv: readonly string[]): Promise<ExitCode> {
  const config = readConfig(argv, { env: process.env, readFile: readText });
  const logger = createLogger(config.log);
  const onFault = (err: unknown) => {
    logger.error('Failed unexpectedly', { err });
    process.exit(EXIT.failed);
  };
  process.on('unhandledRejection', onFault);
  process.on('uncaughtException', onFault);
  return runUntilStopped(compose(config, { logger }), {
    shutdownGraceMs: config.shutdownGraceMs,
    clock: systemClock,
    logger,
    onSignal(listener) {
      process.on('SIGTERM', listener).on('SIGINT', listener);
      return { [Symbol.dispose]: () => void process.off('SIGTERM', listener).off('SIGINT', listener) };
    },
    exitNow: (code) => process.exit(code),
  });
}

function terminalIo(): CliIo {
  const stop = new AbortController();
  const { stdin: input, stdout, stderr: output } = process;
  stdout.on('error', (err) => process.exit('code' in err && err.code === 'EPIPE' ? EXIT.ok : EXIT.failed)); // `| head`
  process.once('SIGINT', () => stop.abort(new Error('interrupted')));
  return {
    stdout: (text) => void stdout.write(printableLines(text)),
    stderr: (text) => void output.write(printableLines(text)),
    isTerminal: stdout.isTTY,
    clear: () => stdout.isTTY && stdout.write('\u001B[H\u001B[J'),
    env: process.env,
    readFile: readText,
    clock: systemClock,
    signal: stop.signal,
    async ask(question) {
      if (!input.isTTY) return undefined;
      using lines = createInterface({ input, output });
      const answer = Promise.withResolvers<string>();
      lines.once('close', () => answer.resolve('')); // Ctrl-C and Ctrl-D
      lines.question(question, answer.resolve);
      return await answer.promise;
    },
  };
}

function readText(path: string, ownerOnly = false): string {
  if (ownerOnly) refuseExposed(path, statSync(path).mode);
  return readFileSync(path, 'utf8');
}

function print(text: string): ExitCode {
  process.stdout.write(text);
  return EXIT.ok;
}

process.exit(await main(process.argv.slice(2)));

#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { systemClock } from '@reattach/core';
import { compose } from './compose.ts';
import { type Config, parseConfig } from './config.ts';
import { ConfigError } from './config-error.ts';
import { formatChecks } from './doctor/format-checks.ts';
import { probeScript } from './doctor/probe-script.ts';
import { runDoctor } from './doctor/run-doctor.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import { helpText } from './help-text.ts';
import { createLogger } from './logger.ts';
import { runUntilStopped } from './run-until-stopped.ts';
import { VERSION } from './version.ts';

async function main(args: readonly string[]): Promise<ExitCode> {
  if (args.includes('--help')) return print(helpText());
  if (args.includes('--version')) return print(`reattach ${VERSION}\n`);
  const [first = 'run', ...rest] = args;
  if (first === 'doctor') return doctor(rest);
  if (!first.startsWith('-') && first !== 'run') {
    process.stderr.write(`Expected the command run or doctor, got ${JSON.stringify(first)} (see --help)\n`);
    return EXIT.badConfig;
  }
  const config = readConfig(first === 'run' ? rest : args);
  return config ? run(config) : EXIT.badConfig;
}

async function doctor(args: readonly string[]): Promise<ExitCode> {
  const own = new Set(['--json', '--probe']);
  const config = readConfig(args.filter((arg) => !own.has(arg)));
  if (!config) return EXIT.badConfig;
  if (args.includes('--probe')) return print(probeScript(config.boxes));
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort(new Error('interrupted')));
  const checks = await runDoctor(config, systemClock, stop.signal);
  const colours = process.stdout.isTTY && !process.env['NO_COLOR'];
  print(
    args.includes('--json') ? `${JSON.stringify(checks, undefined, 2)}\n` : formatChecks(checks, colours),
  );
  return checks.some(({ state }) => state === 'failed') ? EXIT.failed : EXIT.ok;
}

function readConfig(argv: readonly string[]): Config | undefined {
  try {
    return parseConfig({ argv, env: process.env, readFile: (path) => readFileSync(path, 'utf8') });
  } catch (err) {
    if (!(err instanceof ConfigError)) throw err;
    process.stderr.write(`${err.message}\n`);
    return undefined;
  }
}

function run(config: Config): Promise<ExitCode> {
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

function print(text: string): ExitCode {
  process.stdout.write(text);
  return EXIT.ok;
}

process.exit(await main(process.argv.slice(2)));

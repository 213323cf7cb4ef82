#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { systemClock } from '@reattach/core';
import { compose } from './compose.ts';
import { type Config, parseConfig } from './config.ts';
import { ConfigError } from './config-error.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import { helpText } from './help-text.ts';
import { createLogger } from './logger.ts';
import { runUntilStopped } from './run-until-stopped.ts';
import { VERSION } from './version.ts';

const COMMANDS = ['run', 'controller'];

async function main(args: readonly string[]): Promise<ExitCode> {
  if (args.includes('--help')) return print(helpText());
  if (args.includes('--version')) return print(`reattach ${VERSION}\n`);
  const [first] = args;
  const config = readConfig(first !== undefined && COMMANDS.includes(first) ? args.slice(1) : args);
  return config ? run(config) : EXIT.badConfig;
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

import { type BackendDescriptor, type BackendPorts, type StorageBackend, silentLogger } from '@reattach/core';
import { BACKEND_KINDS } from './backends.ts';
import { ConfigError } from './config/config-error.ts';
import type { BackendConfig } from './config/read-backends.ts';

/** Creates a configured backend, not started yet. @throws {ConfigError} when the product refuses a setting; the message names it. */
export function createBackend(
  { kind, name, settings }: BackendConfig,
  { logger = silentLogger, ...ports }: Omit<BackendPorts, 'logger'> & Partial<Pick<BackendPorts, 'logger'>>,
): StorageBackend {
  const descriptor = descriptorOf({ kind });
  try {
    return descriptor.create(name, settings, { ...ports, logger });
  } catch (err) {
    if (!(err instanceof Error)) throw err;
    throw new ConfigError([
      { key: `backends.${name}`, expected: `settings that ${descriptor.title} accepts: ${err.message}` },
    ]);
  }
}

/** What is known of the product. @throws {TypeError} for a kind that the configuration does not accept */
export function descriptorOf({ kind }: Pick<BackendConfig, 'kind'>): BackendDescriptor {
  const descriptor = BACKEND_KINDS.find((each) => each.kind === kind);
  if (!descriptor) throw new TypeError(`Expected a known kind of backend, got ${kind}`);
  return descriptor;
}

export { type Config, type ConfigSources, parseConfig } from './config.ts';
export { ConfigError, type ConfigProblem } from './config-error.ts';
export type { HealthCheck, HealthReport } from './health.ts';
export { createLogger, type LoggerOptions } from './logger.ts';

export { type Config, type ConfigSources, parseConfig } from './config/config.ts';
export { ConfigError, type ConfigProblem } from './config/config-error.ts';
export type { HealthCheck, HealthReport } from './http/health.ts';
export { createLogger, type LoggerOptions } from './telemetry/logger.ts';

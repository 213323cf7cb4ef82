export { BackendError, type BackendErrorCode } from './backend-error.ts';
export { CommandTelemetry, type CommandTelemetryOptions } from './command-telemetry.ts';
export { ConnectionManager, type ConnectionManagerOptions } from './connection-manager.ts';
export { createSshDial, type SshOptions } from './dial-ssh.ts';
export { type HostKeyPin, parseHostKeyPin } from './host-key-pin.ts';
export { type BackendDriver, SshBackend, type SshBackendOptions } from './ssh-backend.ts';
export type { Dial, ExecResult, SshSession } from './ssh-session.ts';
export { createSshMetrics, type SshMetrics } from './telemetry/instruments.ts';
export { unlessAborted } from './unless-aborted.ts';

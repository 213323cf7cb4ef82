export { type AssembleOptions, assembleRdsBackend } from '../assemble-rds-backend.ts';
export { DEFAULT_IDLE_POLL_MS } from '../default-idle-poll.ts';

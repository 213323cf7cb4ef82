export { type AssembleOptions, assembleRdsBackend } from '../assemble-rds-backend.ts';

export { ConnectionManager, type ConnectionManagerOptions } from '@reattach/ssh-transport';
export { createRdsBackend, type RdsBackendOptions } from './create-rds-backend.ts';
export { rdsDescriptor } from './descriptor.ts';
export { RdsBackend, type RdsBackendParts } from './rds-backend.ts';
export { type RouterOsVersion, versionWarnings } from './routeros/version.ts';
export type {
  Dialect,
  Export,
  FenceEntry,
  RawRule,
  Session,
  Snapshot,
  Tracking,
  WriteCounters,
} from './snapshot.ts';

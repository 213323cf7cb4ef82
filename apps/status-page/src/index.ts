// The files of the page

// What the page and the command line read: `/history` and `/state`
export { AUDIT_KINDS, type AuditKind, type AuditRecord } from './audit-record.ts';
export { filesOf, type PageFile, pageFiles } from './page-files.ts';
export type {
  AttachmentState,
  BackendState,
  NodeFence,
  NodeReport,
  NodeStateKind,
  PassState,
  StateCounts,
  StateReport,
} from './state-report.ts';

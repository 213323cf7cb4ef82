export { ipOf } from './attribution.ts';
export { type BackendState, foldReading, type HostHistory, INITIAL_STATE } from './backend-state.ts';
export { canonicalIp } from './canonical-ip.ts';
export {
  type FenceEntry,
  type FenceHistory,
  foldFences,
  forgetFence,
  NO_FENCES,
  shiftFences,
} from './fence-history.ts';
export { DEFAULT_FENCE_OPTIONS, type FenceOptions } from './fence-judgement.ts';
export { formatHistory, parseHistory, withHistory } from './history-text.ts';
export { type InterpretInput, type InterpretOptions, interpretReading } from './interpret.ts';
export type { SessionPhase, TcpReading, TcpSession, VolumeCounters } from './tcp-reading.ts';
export { type TimeBase, type TimeChange, timeBaseOf, timeChange } from './time-base.ts';

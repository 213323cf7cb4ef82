export type { ConntrackRow, KernelTcpState, TrackedDirection } from './conntrack-row.ts';
export type { Recording, RecordingName } from './recording.ts';
export { eventOf, HOSTS, readRecording, TARGET, writesLanded } from './recording.ts';
export type { RunEvent, RunEventKind } from './run-log.ts';
export type { BlockCounters, Sample } from './sample.ts';
export type { SocketReading } from './socket-reading.ts';
export type { SocketRow, SocketState } from './socket-row.ts';

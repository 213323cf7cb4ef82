export { alwaysLeader } from './always-leader.ts';
export { guardWrites } from './guard-writes.ts';
export { K8sActionsError, type K8sActionsErrorCode } from './k8s-actions-error.ts';
export { KubeActions, type KubeActionsOptions } from './kube-actions.ts';
export { KubeEventRecorder, type KubeEventRecorderOptions } from './kube-event-recorder.ts';
export { LeaderElector, type LeaderElectorOptions } from './leader-elector.ts';
export { LeaseRecords, type LeaseRecordsOptions } from './lease-records.ts';
export { observeLeader } from './telemetry/instruments.ts';

export { KubeActions, type KubeActionsOptions } from './kube-actions.ts';
export { KubeEventRecorder, type KubeEventRecorderOptions } from './kube-event-recorder.ts';

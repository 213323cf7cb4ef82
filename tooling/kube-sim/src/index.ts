export type { Fault, FaultRule, Faults, WatchFault } from './faults.ts';
export type {
  EventObject,
  Kind,
  KindMap,
  KubeObject,
  LeaseObject,
  NodeCondition,
  NodeObject,
  NodeTaint,
  ObjectDraft,
  ObjectMeta,
  PersistentVolumeClaimObject,
  PersistentVolumeObject,
  PodObject,
  StatefulSetObject,
  VolumeAttachmentObject,
} from './kube-object.ts';
export { KubeSim, type KubeSimOptions } from './kube-sim.ts';
export { KubeSimError, type StatusObject, type StatusReason } from './kube-sim-error.ts';
export {
  type AttachmentOptions,
  attacherFinalizer,
  attachmentName,
  type NodeOptions,
  type PodOptions,
  type StatefulSetOptions,
  uniqueVolumeName,
  type VolumeOptions,
} from './manifests.ts';
export type { Change, DeleteOptions, DeleteOutcome, ObjectStore } from './object-store.ts';
export type { LoggedRequest, RequestMatch } from './request-log.ts';

export type { Answer } from './api.ts';
export {
  CHAOS_KINDS,
  type ChaosKind,
  type ChaosOptions,
  type ChaosRun,
  ChaosScript,
  type ChaosStep,
} from './chaos-script.ts';
export type { Fault, FaultRule, Faults, WatchFault } from './faults.ts';
export {
  type ApiRequest,
  InProcessApi,
  type InProcessApiOptions,
  type ServerWatch,
  serverFailure,
  type WatchEvent,
} from './in-process-api.ts';
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
  Toleration,
  VirtualMachineInstanceMigrationObject,
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

export {
  AttachDetachController,
  type AttachDetachOptions,
} from './stand-ins/attach-detach-controller.ts';
export type { StandInContext } from './stand-ins/control-loop.ts';
export { ExternalAttacher, type ExternalAttacherOptions } from './stand-ins/external-attacher.ts';
export { Kubelet, type KubeletHooks, type KubeletOptions, type MachineStatus } from './stand-ins/kubelet.ts';
export { NodeLifecycleController, type NodeLifecycleOptions } from './stand-ins/node-lifecycle-controller.ts';
export { PodGarbageCollector, type PodGarbageCollectorOptions } from './stand-ins/pod-garbage-collector.ts';
export { Scheduler } from './stand-ins/scheduler.ts';
export { type StandInOptions, StandIns, type StandInTimes, startStandIns } from './stand-ins/stand-ins.ts';
export { StatefulSetController } from './stand-ins/stateful-set-controller.ts';
export { TaintEviction, type TaintEvictionOptions } from './stand-ins/taint-eviction.ts';

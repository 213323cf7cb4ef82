export type { Answer } from './api.ts';
export {
  CHAOS_KINDS,
  type ChaosKind,
  type ChaosOptions,
  type ChaosRun,
  ChaosScript,
  type ChaosStep,
} from './chaos-script.ts';
export {
  AttachDetachController,
  type AttachDetachOptions,
} from './fake-controllers/attach-detach-controller.ts';
export type { FakeControllerContext } from './fake-controllers/control-loop.ts';
export { DaemonSetController, type DaemonSetOptions } from './fake-controllers/daemon-set-controller.ts';
export { ExternalAttacher, type ExternalAttacherOptions } from './fake-controllers/external-attacher.ts';
export {
  FakeControllers,
  type FakeControllersOptions,
  type FakeControllerTimes,
  startFakeControllers,
} from './fake-controllers/fake-controllers.ts';
export {
  Kubelet,
  type KubeletHooks,
  type KubeletOptions,
  type MachineStatus,
} from './fake-controllers/kubelet.ts';
export {
  NodeLifecycleController,
  type NodeLifecycleOptions,
} from './fake-controllers/node-lifecycle-controller.ts';
export {
  PodGarbageCollector,
  type PodGarbageCollectorOptions,
} from './fake-controllers/pod-garbage-collector.ts';
export { Scheduler } from './fake-controllers/scheduler.ts';
export { StatefulSetController } from './fake-controllers/stateful-set-controller.ts';
export { TaintEviction, type TaintEvictionOptions } from './fake-controllers/taint-eviction.ts';
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

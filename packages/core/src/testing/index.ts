export {
  nodeFact,
  persistentVolumeFact,
  podFact,
  TEST_ATTACHER,
  volumeAttachmentFact,
} from './fact-builders.ts';
export { FakeAttachmentStore, type StoreCall } from './fake-attachment-store.ts';
export { FakeClock, settle } from './fake-clock.ts';
export { type ClusterCall, FakeClusterActions } from './fake-cluster-actions.ts';
export { FakeClusterReader } from './fake-cluster-reader.ts';
export { FakeFenceRecords } from './fake-fence-records.ts';
export { FakeLostNodeRecords } from './fake-lost-node-records.ts';
export { FakeNodeLister } from './fake-node-lister.ts';
export { type BackendCall, FakeStorageBackend, fakeFleet } from './fake-storage-backend.ts';
export { InMemoryBackend } from './in-memory-backend.ts';
export { testPolicy } from './policy-builder.ts';
export { RecordingEventRecorder } from './recording-event-recorder.ts';
export { type LogLine, RecordingLogger } from './recording-logger.ts';
export { type Measurement, type RecordedSpan, RecordingTelemetry } from './recording-telemetry.ts';
export { SeededRandom } from './seeded-random.ts';

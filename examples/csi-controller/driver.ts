import { fileURLToPath } from 'node:url';
import * as grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { apiNodeLister } from '@reattach/controller-kit';
import { AttachmentManager, AttachmentReconciler, CoreError, systemClock, UntrackPass } from '@reattach/core';
import { apiPaths, type KubeApi, toNodeFact } from '@reattach/k8s-api';
import { Informer, NodeWatcher } from '@reattach/k8s-watch';

const PROTO = fileURLToPath(new URL('csi.proto', import.meta.url));
const definition = grpc.loadPackageDefinition(loadSync(PROTO, { enums: String, defaults: true }));

interface CsiPackage {
  readonly csi: { readonly v1: { readonly Controller: grpc.ServiceClientConstructor } };
}

interface PublishRequest {
  readonly volumeId: string;
  readonly nodeId: string;
  readonly volumeCapability?: { readonly accessMode?: { readonly mode: string } };
}

export interface DriverOptions {
  readonly api: KubeApi;
  /** Where the sidecar connects: `unix:///csi/csi.sock`. */
  readonly listen: string;
  /** How long a Node may be gone before its attachments are untracked, ms. */
  readonly gracePeriodMs?: number;
  readonly signal: AbortSignal;
}

/** Serves ControllerPublishVolume and ControllerUnpublishVolume, and untracks attachments of Nodes that are gone. */
export async function startDriver({ api, listen, gracePeriodMs, signal }: DriverOptions) {
  const manager = new AttachmentManager({ clock: systemClock });
  const pass = new UntrackPass({ manager, nodes: apiNodeLister(api), gracePeriodMs });
  const reconciler = new AttachmentReconciler({ pass, clock: systemClock });
  const nodes = new Informer({ api, path: apiPaths.nodes, project: toNodeFact });
  nodes.addHandlers(new NodeWatcher(reconciler).getEventHandlers());
  const server = new grpc.Server();
  const { service } = (definition as unknown as CsiPackage).csi.v1.Controller;
  server.addService(service, {
    controllerPublishVolume: answer(async ({ volumeId, nodeId, volumeCapability }) => {
      const accessModes =
        volumeCapability?.accessMode?.mode === 'MULTI_NODE_MULTI_WRITER' ? ['ReadWriteMany'] : [];
      await manager.trackAttachment(volumeId, nodeId, { accessModes }, signal);
      return { publishContext: {} }; // here the volume is exported to the node
    }),
    controllerUnpublishVolume: answer(async ({ volumeId, nodeId }) => {
      // Here the export ends. Without a node the volume is unpublished everywhere.
      if (nodeId === '') await manager.untrackAttachment(volumeId, signal);
      else await manager.removeNodeAttachment(volumeId, nodeId, signal);
      return {};
    }),
  });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync(listen, grpc.ServerCredentials.createInsecure(), (err, bound) =>
      err ? reject(err) : resolve(bound),
    ),
  );
  nodes.start();
  await reconciler.start(signal);
  const stop = async (): Promise<void> => {
    server.forceShutdown();
    await reconciler.stop();
    await nodes.stop();
  };
  return { port, manager, service, stop };
}

/** Calls `work`, and translates a conflict to the code that CSI asks for. */
function answer(
  work: (request: PublishRequest) => Promise<object>,
): grpc.handleUnaryCall<PublishRequest, object> {
  return ({ request }, reply) => {
    work(request).then(
      (response) => reply(null, response),
      (err: Error) => reply({ code: codeOf(err), message: err.message }),
    );
  };
}

function codeOf(err: Error): grpc.status {
  const isConflict = err instanceof CoreError && err.code === 'ATTACHMENT_CONFLICT';
  return isConflict ? grpc.status.FAILED_PRECONDITION : grpc.status.INTERNAL;
}

export type { KubeApi, KubeRequest, KubeWatchRequest } from './kube-api.ts';
export { KubeApiError, type KubeApiErrorCode, type KubeApiErrorDetail } from './kube-api-error.ts';

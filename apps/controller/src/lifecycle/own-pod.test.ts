import { type KubeApi, KubeApiError } from '@reattach/k8s-api';
import { describe, expect, it } from 'vitest';
import { findPod, ownPodRef } from './own-pod.ts';

const NEVER = new AbortController().signal;
const pod = { name: 'reattach-0', namespace: 'reattach' };

const apiThat = (request: KubeApi['request']): KubeApi => ({
  server: 'http://api.test',
  request,
  watch: () => {
    throw new Error('not asked for');
  },
  [Symbol.asyncDispose]: async () => undefined,
});

describe('ownPodRef', () => {
  it.each<[string, Record<string, string>, string | undefined, unknown]>([
    ['both variables', { POD_NAME: 'a', POD_NAMESPACE: 'n' }, 'sa', { name: 'a', namespace: 'n' }],
    ['a service account', {}, 'sa', { name: 'host-0', namespace: 'sa' }],
    ['the name and a service account', { POD_NAME: 'a' }, 'sa', { name: 'a', namespace: 'sa' }],
    ['the namespace only', { POD_NAMESPACE: 'n' }, undefined, undefined],
    ['the name only', { POD_NAME: 'a' }, undefined, undefined],
    ['empty variables', { POD_NAME: '', POD_NAMESPACE: '' }, undefined, undefined],
    ['nothing', {}, undefined, undefined],
  ])('%s', (_what, env, serviceAccountNamespace, expected) => {
    expect(ownPodRef({ env, hostname: 'host-0', serviceAccountNamespace })).toEqual(expected);
  });
});

describe('findPod', () => {
  it('adds the uid', async () => {
    const paths: string[] = [];
    const api = apiThat(async ({ path }) => {
      paths.push(path);
      return { metadata: { name: 'reattach-0', uid: 'u1' } };
    });
    expect(await findPod(api, pod, NEVER)).toEqual({ ...pod, uid: 'u1' });
    expect(paths).toEqual(['/api/v1/namespaces/reattach/pods/reattach-0']);
  });

  it('finds none where the API server knows none', async () => {
    const api = apiThat(() => Promise.reject(new KubeApiError('NOT_FOUND', 'not-applied', 'no such pod')));
    expect(await findPod(api, pod, NEVER)).toBeUndefined();
  });

  it('does without the uid when it may not ask', async () => {
    const api = apiThat(() => Promise.reject(new KubeApiError('FORBIDDEN', 'not-applied', 'no')));
    expect(await findPod(api, pod, NEVER)).toEqual(pod);
  });
});

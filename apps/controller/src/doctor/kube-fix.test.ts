import { KubeApiError, type KubeApiErrorCode } from '@reattach/k8s-api';
import { describe, expect, it } from 'vitest';
import { kubeFix } from './kube-fix.ts';

function failure(code: KubeApiErrorCode, causeCode?: string): KubeApiError {
  const cause = causeCode === undefined ? undefined : Object.assign(new Error('low'), { code: causeCode });
  return new KubeApiError(code, 'not-applied', 'get version failed', { cause });
}

describe('kubeFix', () => {
  it.each([
    [
      'an untrusted certificate',
      failure('UNAVAILABLE', 'DEPTH_ZERO_SELF_SIGNED_CERT'),
      /certificate-authority-data/,
    ],
    [
      'a certificate for another name',
      failure('UNAVAILABLE', 'ERR_TLS_CERT_ALTNAME_INVALID'),
      /tls-server-name/,
    ],
    ['an expired certificate', failure('UNAVAILABLE', 'CERT_HAS_EXPIRED'), /expired/],
    ['a refused login', failure('UNAUTHORIZED'), /token, client certificate/],
    ['missing RBAC', failure('FORBIDDEN'), /RBAC/],
    ['a refused connection', failure('UNAVAILABLE', 'ECONNREFUSED'), /nothing listens there/],
    ['an unknown host', failure('UNAVAILABLE', 'ENOTFOUND'), /DNS/],
    ['no route', failure('UNAVAILABLE', 'EHOSTUNREACH'), /firewalls/],
    ['no answer', failure('TIMEOUT'), /firewalls/],
    ['a web server', failure('MALFORMED'), /something other than a Kubernetes API server/],
    ['a broken kubeconfig', failure('BAD_CONFIG'), /Correct the field/],
    ['anything else', failure('SERVER_ERROR'), /readyz/],
  ])('%s has a fix of its own', (_what, err, fix) => {
    expect(kubeFix(err)).toMatch(fix);
  });

  it('finds a refused address among several that were tried', () => {
    const each = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
    const all = Object.assign(new AggregateError([each]), { code: 'ETIMEDOUT' });
    expect(kubeFix(new KubeApiError('UNAVAILABLE', 'not-applied', 'failed', { cause: all }))).toMatch(
      /nothing listens|firewalls/,
    );
  });
});

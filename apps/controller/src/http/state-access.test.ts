import { describe, expect, it } from 'vitest';
import { type Caller, mayReadState, type StateAccess } from './state-access.ts';

function call(address: string, host: string, origin?: string): Caller {
  return { address, host, origin };
}

const FROM_POD = call('127.0.0.1', 'localhost:9808');
const FROM_CLUSTER = call('10.1.2.3', '10.1.2.4:9808');

describe('mayReadState', () => {
  it.each<[StateAccess, string, Caller, boolean]>([
    ['local', 'from within the pod', FROM_POD, true],
    ['local', 'from within the pod by IPv4 on an IPv6 socket', call('::ffff:127.0.0.1', '127.0.0.1:1'), true],
    ['local', 'from within the pod by IPv6', call('::1', '[::1]:9808'), true],
    ['local', 'from the cluster', FROM_CLUSTER, false],
    ['local', 'from the cluster by a name of loopback', call('10.1.2.3', 'localhost'), false],
    ['local', 'by a name that was bent to loopback', call('127.0.0.1', 'rebound.example.org'), false],
    ['local', 'by a foreign page', call('127.0.0.1', 'localhost:1', 'https://evil.example'), false],
    ['local', 'by our page', call('127.0.0.1', 'localhost:1', 'http://localhost:1'), true],
    ['all', 'from the cluster', FROM_CLUSTER, true],
    ['all', 'by a foreign page', call('10.1.2.3', 'reattach:1', 'https://evil.example'), false],
    ['off', 'from within the pod', FROM_POD, false],
  ])('%s: %s', (access, _who, request, expected) => {
    expect(mayReadState(access, request, { host: '0.0.0.0' })).toBe(expected);
  });

  it('all: knows no other name than loopback where it listens on loopback only', () => {
    const bent = call('127.0.0.1', 'rebound.example.org');
    expect(mayReadState('all', bent, { host: '127.0.0.1' })).toBe(false);
    expect(mayReadState('all', FROM_POD, { host: '127.0.0.1' })).toBe(true);
  });
});

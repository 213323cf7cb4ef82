import { describe, expect, it } from 'vitest';
import { apiPaths, pathOf } from './api-paths.ts';

describe('pathOf', () => {
  it('percent-encodes what would reach outside its segment', () => {
    expect(apiPaths.node('a/../../secrets?x=1#y')).toBe('/api/v1/nodes/a%2F..%2F..%2Fsecrets%3Fx%3D1%23y');
    expect(apiPaths.pod('web', 'web-0')).toBe('/api/v1/namespaces/web/pods/web-0');
  });

  it.each(['', '.', '..'])('refuses %j', (segment) => {
    expect(() => pathOf('api', segment)).toThrow(TypeError);
  });
});

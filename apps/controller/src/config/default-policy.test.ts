import { defaultPolicy } from '@reattach/controller-kit';
import { describe, expect, it } from 'vitest';
import type { Config } from './config.ts';
import { shape } from './shape.ts';
import { Values } from './values.ts';

describe('defaultPolicy', () => {
  it('is the policy of a controller without settings', () => {
    const values = new Values(() => '');
    const config: Config = shape(values, [], []);
    expect(defaultPolicy('rds.csi.srvlab.io')).toEqual(config.policy);
  });

  it('holds volumes of other drivers where the strategy is out-of-service', () => {
    expect(defaultPolicy('a.example.com', { strategy: 'out-of-service' }).otherDrivers).toBe('hold');
  });
});

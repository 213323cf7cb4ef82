import { describe, expect, it } from 'vitest';
import { TokenBucket } from './token-bucket.ts';

const takeAll = (bucket: TokenBucket, nowMs: number) => {
  let taken = 0;
  while (bucket.take(nowMs)) taken++;
  return taken;
};

describe('TokenBucket', () => {
  it('starts full, refills one by one and never above its capacity', () => {
    const bucket = new TokenBucket(3, 100, 0);
    expect(takeAll(bucket, 0)).toBe(3);
    expect(takeAll(bucket, 99)).toBe(0);
    expect(takeAll(bucket, 100)).toBe(1);
    expect(takeAll(bucket, 250)).toBe(1);
    expect(takeAll(bucket, 100_000)).toBe(3);
  });

  it('neither gains nor loses when the clock steps back', () => {
    const bucket = new TokenBucket(2, 100, 1_000);
    expect(takeAll(bucket, 0)).toBe(2);
    expect(takeAll(bucket, 100)).toBe(1);
  });
});

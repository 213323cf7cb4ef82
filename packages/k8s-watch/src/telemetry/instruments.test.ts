import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MemoryMeter } from '../../test/memory-meter.ts';
import { INSTRUMENTS, RECONNECT_REASONS, WatchInstruments } from './instruments.ts';

describe('WatchInstruments', () => {
  const nodes = { 'reattach.k8s.resource': 'nodes' };
  let meter: MemoryMeter;

  beforeEach(() => {
    meter = new MemoryMeter();
  });
  afterEach(() => meter[Symbol.dispose]());

  it('counts from 0 for each known attribute value', () => {
    const resource = new WatchInstruments().forResource('nodes', () => ({ ageMs: 0, objects: 0 }));
    for (const { name } of [INSTRUMENTS.events, INSTRUMENTS.relists, INSTRUMENTS.handlerErrors]) {
      expect(meter.total(name, nodes)).toBe(0);
    }
    for (const reason of RECONNECT_REASONS) {
      const attributes = { ...nodes, 'reattach.watch.reconnect.reason': reason };
      expect(meter.total('reattach.watch.reconnects', attributes)).toBe(0);
    }
    resource.event();
    resource.relist();
    resource.handlerError();
    resource.reconnect('gone');
    expect(meter.total('reattach.watch.events', nodes)).toBe(1);
    expect(meter.total('reattach.watch.relists', nodes)).toBe(1);
    expect(meter.total('reattach.watch.handler.errors', nodes)).toBe(1);
    const gone = { ...nodes, 'reattach.watch.reconnect.reason': 'gone' };
    expect(meter.total('reattach.watch.reconnects', gone)).toBe(1);
  });

  it('observes age, in seconds, and size of a cache until it is disposed', () => {
    const cache: { ageMs: number | undefined; objects: number } = { ageMs: undefined, objects: 0 };
    const resource = new WatchInstruments().forResource('nodes', () => cache);
    expect(meter.read('reattach.watch.cache.age')).toEqual([]);
    cache.ageMs = 1_500;
    cache.objects = 3;
    expect(meter.read('reattach.watch.cache.age')).toEqual([[1.5, nodes]]);
    expect(meter.read('reattach.watch.cache.objects')).toEqual([[3, nodes]]);
    resource[Symbol.dispose]();
    expect(meter.read('reattach.watch.cache.age')).toEqual([]);
    expect(meter.read('reattach.watch.cache.objects')).toEqual([]);
  });
});

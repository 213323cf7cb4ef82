import { FENCED_TAINT, OUT_OF_SERVICE_TAINT } from '@reattach/core';
import { drawOperations, OPERATIONS } from '../operations/catalogue.ts';
import { KUBELET } from '../operations/kubelet.ts';
import type { Operation, Undo } from '../operations/operation.ts';
import { POWER } from '../operations/power.ts';
import { ORACLES } from '../oracles/all-oracles.ts';
import type { Finding, FindingKind, Oracle } from '../oracles/oracle.ts';
import type { BackendKind } from '../storage/storage-product.ts';
import { RunRandom } from '../time/run-random.ts';
import { DRIVER } from '../world/cluster.ts';
import { drawBackend, drawScenario, type Scenario } from '../world/scenario.ts';
import { World } from '../world/world.ts';
import { repairAll } from './repair.ts';

/** Taints that mean that a node is not let back yet. */
const OUR_TAINTS: readonly string[] = [FENCED_TAINT, OUT_OF_SERVICE_TAINT];

/** Time that passes after the last operation before everything is repaired, ms. */
const QUIET_MS = 260_000;
/** Longest time to get well after that, ms. */
const SETTLE_MS = 720_000;
/** Between two looks at whether it is. */
const SETTLE_STEP_MS = 20_000;
const SAMPLE_MS = 5_000;

/** Operations that leave everything but one machine as it is. */
const IS_ABOUT_MACHINE: ReadonlySet<string> = new Set([...Object.keys(POWER), ...Object.keys(KUBELET)]);

export interface RunOptions {
  /** Instead of those that the seed draws. */
  readonly operations?: readonly Operation[];
  /** The kind of backend, instead of the one that the seed draws. */
  readonly backend?: BackendKind;
  /** Kinds that are left out of what the seed draws. */
  readonly without?: readonly string[];
  /** Called with the world before it starts, to look on. */
  readonly onWorld?: (world: World) => void;
  /** Called when an operation begins or ends. */
  readonly onOperation?: (operation: Operation, isEnd: boolean) => void;
}

/** What one run showed. */
export interface RunResult {
  readonly seed: number;
  readonly scenario: Scenario;
  readonly operations: readonly Operation[];
  readonly findings: readonly Finding[];
  readonly simulatedMs: number;
}

/** Runs one seed to its end. The result depends on the seed and the options alone. */
export async function runSeed(seed: number, options: RunOptions = {}): Promise<RunResult> {
  const random = new RunRandom(seed);
  const scenario = drawScenario(
    random.fork('scenario'),
    options.backend ?? drawBackend(random.fork('backend')),
  );
  const nodeNames = scenario.machines.map(({ nodeName }) => nodeName);
  const drawn = drawOperations(random.fork('operations'), nodeNames);
  const operations =
    options.operations ?? drawn.filter(({ kind }) => options.without?.includes(kind) !== true);
  await using world = new World(scenario, random.fork('world'));
  const startMs = world.clock.now();
  options.onWorld?.(world);
  const findings = new Map<FindingKind, Finding>();
  const report = (kind: FindingKind, detail: string) => {
    if (!findings.has(kind)) findings.set(kind, { kind, atMs: world.clock.now() - startMs, detail });
  };
  const oracles = ORACLES.map((create) => create(world, report));
  await world.warmUp();
  startSampling(world, oracles);
  await carryOut(world, operations, options);
  for (let waitedMs = 0; waitedMs < SETTLE_MS && !isWell(world); waitedMs += SETTLE_STEP_MS)
    await world.clock.advance(SETTLE_STEP_MS);
  for (const oracle of oracles) oracle.atEnd?.();
  return {
    seed,
    scenario,
    operations,
    findings: [...findings.values()],
    simulatedMs: world.clock.now() - startMs,
  };
}

/** Begins and ends every operation at its time, then repairs what is left. */
async function carryOut(world: World, operations: readonly Operation[], options: RunOptions): Promise<void> {
  const { clock } = world;
  const open = new Map<Operation, Undo>();
  const baseMs = clock.now();
  for (const operation of operations) {
    clock.afterWaking(operation.atMs, () => {
      options.onOperation?.(operation, false);
      if (!IS_ABOUT_MACHINE.has(operation.kind)) world.disturbed();
      const undo = OPERATIONS.get(operation.kind)?.apply(world, operation);
      if (!undo) return;
      open.set(operation, undo);
      if (operation.lastsMs === undefined) return;
      clock.afterWaking(operation.lastsMs, () => {
        if (!open.delete(operation)) return;
        options.onOperation?.(operation, true);
        if (!IS_ABOUT_MACHINE.has(operation.kind)) world.disturbed();
        undo();
      });
    });
  }
  const lastMs = Math.max(0, ...operations.map(({ atMs }) => atMs));
  await clock.runUntil(baseMs + lastMs + QUIET_MS);
  repairAll(world, [...open.values()]);
  open.clear();
}

function startSampling(world: World, oracles: readonly Oracle[]): void {
  const { clock } = world;
  const sample = () => {
    world.sample(SAMPLE_MS);
    for (const oracle of oracles) oracle.sample?.();
    clock.after(SAMPLE_MS, sample);
  };
  clock.after(SAMPLE_MS, sample);
}

/** Every volume is served, and no fence is left on a machine that could be let back. */
function isWell(world: World): boolean {
  const fenced = world.storage.fencedAddresses;
  const isWaiting = world.machines.some(
    (machine) => machine.isPowered && machine.addresses.some((address) => fenced.has(address)),
  );
  const tainted = world.api.store
    .list('Node')
    .some(({ spec }) => spec?.taints?.some(({ key, value }) => OUR_TAINTS.includes(key) && value === DRIVER));
  return world.isSettled && !isWaiting && !tainted;
}

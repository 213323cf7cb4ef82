export { type ChaosOptions, chaosSchedule } from './chaos-schedule.ts';
export { type CommandLog, type LoggedCommand } from './command-log.ts';
export { type AddressList, type AddressListEntry, type NewAddressListEntry } from './device/address-list.ts';
export { type Device, type DeviceOptions } from './device/device.ts';
export { type FirewallRule } from './device/firewall-rule.ts';
export { type FirewallRules, type RuleProperty } from './device/firewall-rules.ts';
export { type Offload } from './device/packet-path.ts';
export { type Dialect } from './dialect.ts';
export {
  type CommandFault,
  type ConnectionFault,
  type FaultRule,
  type Faults,
  type ScheduledFault,
} from './faults.ts';
export { InProcessRds } from './in-process-rds.ts';
export { type ForwardedFlowOptions } from './nvme/forwarded-flow.ts';
export { type LandedWrite, type Oracle, type WriteViolation } from './nvme/oracle.ts';
export { type Cut, type SimHost, type SimHostOptions } from './nvme/sim-host.ts';
export { type TargetSocket } from './nvme/target.ts';
export { type Volume, type VolumeOptions } from './nvme/volume.ts';
export { type Credentials, RdsSim, type RdsSimOptions } from './rds-sim.ts';
export { type DurationStyle } from './script/duration.ts';
export type { ScriptResult } from './script/interpreter.ts';
export { fingerprintOf, generateKeyPair, type KeyPair } from './ssh/key-pair.ts';
export { type SimUser } from './ssh/user.ts';
export { type ConnectionTable } from './tracking/connection-table.ts';
export { type TrackedConnection } from './tracking/tracked-connection.ts';
export { type TrackingOptions, type TrackingSettings } from './tracking/tracking-settings.ts';

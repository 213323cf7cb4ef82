export { type ChaosOptions, chaosSchedule } from './chaos-schedule.ts';
export { type CommandLog, type LoggedCommand } from './command-log.ts';
export { type AddressList, type AddressListEntry, type NewAddressListEntry } from './device/address-list.ts';
export {
  type ConnectionTable,
  type TrackedConnection,
  type TrackingSettings,
} from './device/connection-table.ts';
export { type Device, type DeviceOptions } from './device/device.ts';
export {
  type FirewallRule,
  type FirewallRules,
  type RuleProperty,
} from './device/firewall-rules.ts';
export { type Oracle, type WriteViolation } from './device/oracle.ts';
export { type SimHost, type SimHostOptions } from './device/sim-host.ts';
export { type TargetClose } from './device/target.ts';
export { type Volume, type VolumeOptions } from './device/volume.ts';
export { type Dialect } from './dialect.ts';
export {
  type CommandFault,
  type ConnectionFault,
  type FaultRule,
  type Faults,
  type ScheduledFault,
} from './faults.ts';
export { InProcessRds } from './in-process-rds.ts';
export { type Credentials, RdsSim, type RdsSimOptions } from './rds-sim.ts';
export { type DurationStyle } from './script/duration.ts';
export type { ScriptResult } from './script/interpreter.ts';
export { fingerprintOf, generateKeyPair, type KeyPair } from './ssh/key-pair.ts';
export { type SimUser } from './ssh/user.ts';

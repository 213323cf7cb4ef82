export { type AddressList, type AddressListEntry, type NewAddressListEntry } from './box/address-list.ts';
export { type Box, type BoxOptions } from './box/box.ts';
export {
  type ConnectionTable,
  type TrackedConnection,
  type TrackingSettings,
} from './box/connection-table.ts';
export {
  type FirewallRule,
  type FirewallRules,
  type RuleProperty,
} from './box/firewall-rules.ts';
export { type Oracle, type WriteViolation } from './box/oracle.ts';
export { type SimHost, type SimHostOptions } from './box/sim-host.ts';
export { type TargetClose } from './box/target.ts';
export { type Volume, type VolumeOptions } from './box/volume.ts';
export { type ChaosOptions, chaosSchedule } from './chaos-schedule.ts';
export { type CommandLog, type LoggedCommand } from './command-log.ts';
export { type Dialect } from './dialect.ts';
export {
  type CommandFault,
  type ConnectionFault,
  type FaultRule,
  type Faults,
  type ScheduledFault,
} from './faults.ts';
export { type Credentials, RdsSim, type RdsSimOptions } from './rds-sim.ts';
export { type DurationStyle } from './script/duration.ts';
export { fingerprintOf, generateKeyPair, type KeyPair } from './ssh/key-pair.ts';
export { type SimUser } from './ssh/user.ts';

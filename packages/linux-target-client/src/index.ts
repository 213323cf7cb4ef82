export {
  assembleLinuxTarget,
  type LinuxTargetBackend,
  type LinuxTargetSettings,
  linuxTargetDescriptor,
} from './descriptor.ts';

export { LinuxTarget } from './linux-target.ts';

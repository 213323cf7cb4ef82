export { fromResponse, fromTransport, timedOut } from '../translate-error.ts';

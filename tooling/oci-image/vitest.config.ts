export { default } from '@reattach/vitest-config';

export { default } from '@reattach/vitest-config/e2e';

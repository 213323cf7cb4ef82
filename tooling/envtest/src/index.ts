export { type EnvtestComponent, envtestAssets } from './envtest-assets.ts';
export { type Envtest, type EnvtestOptions, startEnvtest } from './start-envtest.ts';

export { type EnvtestComponent, envtestAssets, hasComponent } from './envtest-assets.ts';
export { type Envtest, type EnvtestOptions, startEnvtest } from './start-envtest.ts';
export {
  type ExtensionsApiServer,
  type ExtensionsApiServerOptions,
  startExtensionsApiServer,
} from './start-extensions-api-server.ts';

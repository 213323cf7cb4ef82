export { FakeSession } from './fake-session.ts';
export { startHostileSshServer } from './hostile-ssh-server.ts';

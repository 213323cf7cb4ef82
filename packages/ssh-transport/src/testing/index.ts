export { FakeSession } from './fake-session.ts';

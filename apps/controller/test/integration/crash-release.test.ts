import { RELEASE_WAYS } from './support/crash-ways.ts';
import { describeCrashes } from './support/describe-crashes.ts';

/** Two pods and two volumes leave the node. */
describeCrashes(RELEASE_WAYS, 4);

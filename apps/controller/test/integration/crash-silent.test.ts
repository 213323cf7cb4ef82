import { SILENT_WAYS } from './support/crash-ways.ts';
import { describeCrashes } from './support/describe-crashes.ts';

/** Two pods and two volumes leave the node. */
describeCrashes(SILENT_WAYS, 4);

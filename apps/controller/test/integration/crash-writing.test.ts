import { WRITING_WAYS } from './support/crash-ways.ts';
import { describeCrashes } from './support/describe-crashes.ts';

/** A fence comes and goes; two pods and two volumes leave the node. */
describeCrashes(WRITING_WAYS, 6);

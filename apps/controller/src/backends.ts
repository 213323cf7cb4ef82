import type { BackendDescriptor } from '@reattach/core';
import { linuxTargetDescriptor } from '@reattach/linux-target-client';
import { rdsDescriptor } from '@reattach/rds-client';

/** Every kind of storage backend that this controller can use. A new kind is one more import here. */
export const BACKEND_KINDS: readonly BackendDescriptor[] = [rdsDescriptor, linuxTargetDescriptor];

import type { Mode } from '@reattach/core';
import { type Check, gate, messageOf, ok, warning } from './check.ts';
import type { ClusterFacts } from './cluster-facts.ts';
import { kubeFix } from './kube-fix.ts';

/** Whether the driver has VolumeAttachments at all: without them Kubernetes detaches nothing, and neither do we. */
export function driverCheck(
  attacher: string,
  { driver, attachments }: Pick<ClusterFacts, 'driver' | 'attachments'>,
  mode: Mode,
): Check {
  const name = `driver ${attacher}`;
  const own = attachments.ok ? attachments.value.filter((each) => each.attacher === attacher).length : 0;
  const fromAttachments = ok(name, `It has ${own} VolumeAttachments, so it attaches volumes`);
  if (!driver.ok)
    return own > 0 ? fromAttachments : warning(name, messageOf(driver.err), kubeFix(driver.err));
  if (driver.value === 'forbidden') {
    if (own > 0) return fromAttachments;
    return warning(
      name,
      'It has no VolumeAttachment, and this user may not read CSIDrivers, so attachRequired is not known',
      `kubectl get csidriver ${attacher} -o jsonpath={.spec.attachRequired} must not print false`,
    );
  }
  if (driver.value === 'missing') {
    if (own > 0) return fromAttachments;
    return gate(mode)(
      name,
      'There is neither a CSIDriver nor a VolumeAttachment of that name',
      'Set --attacher to a name that kubectl get csidrivers prints, or install the driver',
    );
  }
  if (!driver.value.attachRequired)
    return gate(mode)(
      name,
      'Its CSIDriver has attachRequired: false, so there are no VolumeAttachments to release',
      'Install the driver with attachRequired: true and its external-attacher; the field cannot be changed, so delete and create the CSIDriver',
    );
  return ok(name, 'Its CSIDriver exists and requires attaching');
}

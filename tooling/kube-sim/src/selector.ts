import type { KubeObject } from './kube-object.ts';
import { KubeSimError } from './kube-sim-error.ts';
import type { Resource } from './resource.ts';

/** Says whether an object belongs to a list or watch. */
export type ObjectFilter = (object: KubeObject) => boolean;

const REQUIREMENT =
  /^\s*(?:(?<not>!)?\s*(?<key>[\w./-]+)\s*(?:(?<op>==|=|!=)\s*(?<value>[\w.-]*)|\s(?<set>in|notin)\s*\((?<values>[^)]*)\))?)\s*$/;

/** Splits at commas outside parentheses. */
const COMMA = /,(?![^(]*\))/;

/** @throws {KubeSimError} BadRequest for a selector that cannot be parsed. */
export function labelFilter(selector: string): ObjectFilter {
  const requirements = selector === '' ? [] : selector.split(COMMA).map(labelRequirement);
  return (object) => requirements.every((matches) => matches(object.metadata.labels ?? {}));
}

function labelRequirement(text: string): (labels: Readonly<Record<string, string>>) => boolean {
  const { not, key, op, value, set, values } = REQUIREMENT.exec(text)?.groups ?? {};
  if (key === undefined || (not && (op ?? set))) {
    throw new KubeSimError(
      'BadRequest',
      `unable to parse requirement ${JSON.stringify(text)} of the label selector`,
    );
  }
  const listed = new Set(set ? (values ?? '').split(',').map((item) => item.trim()) : [value ?? '']);
  if (not) return (labels) => !Object.hasOwn(labels, key);
  if (!op && !set) return (labels) => Object.hasOwn(labels, key);
  const wanted = op !== '!=' && set !== 'notin';
  return (labels) => (Object.hasOwn(labels, key) && listed.has(labels[key] ?? '')) === wanted;
}

/** @throws {KubeSimError} BadRequest for a field this resource cannot be selected by, as the real server refuses it. */
export function fieldFilter(resource: Resource, selector: string): ObjectFilter {
  const requirements =
    selector === '' ? [] : selector.split(',').map((text) => fieldRequirement(resource, text));
  return (object) => requirements.every((matches) => matches(object));
}

function fieldRequirement(resource: Resource, text: string): ObjectFilter {
  const { field, op, value } = /^(?<field>[\w.]+)(?<op>==|=|!=)(?<value>.*)$/.exec(text)?.groups ?? {};
  if (field === undefined) {
    throw new KubeSimError('BadRequest', `invalid selector: ${JSON.stringify(text)}; can't understand it`);
  }
  const known = [
    'metadata.name',
    ...(resource.namespaced ? ['metadata.namespace'] : []),
    ...resource.selectableFields,
  ];
  if (!known.includes(field)) {
    throw new KubeSimError('BadRequest', `field label not supported: ${field} (${resource.plural})`);
  }
  return (object) => (valueAt(object, field) === value) === (op !== '!=');
}

function valueAt(object: KubeObject, path: string): string {
  let value: unknown = object;
  for (const key of path.split('.')) {
    value = typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
  }
  return typeof value === 'string' ? value : '';
}

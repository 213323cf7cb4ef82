import { configSchema, documentedOptions, type Schema } from './config-schema.ts';
import { documentedValues } from './values-table.ts';

type Properties = Readonly<Record<string, Schema>>;

/**
 * The schema of the chart as it has to be: with the options of the controller, whose README describes them, and with the
 * comments of `values.yaml` as descriptions of its own values. Pure.
 */
export function documentedSchema(schema: Schema): Schema {
  const properties = { ...(schema['properties'] as Properties), config: configSchema(documentedOptions()) };
  const values = documentedValues().filter(({ key }) => key !== 'config' && !key.startsWith('config.'));
  return {
    ...schema,
    properties: values.reduce<Properties>(
      (all, { key, meaning }) => withDescription(all, key.split('.'), meaning),
      properties,
    ),
  };
}

/** @throws {TypeError} when the schema lacks the property. */
function withDescription(
  properties: Properties,
  [name = '', ...rest]: readonly string[],
  description: string,
): Properties {
  const found = properties[name];
  if (!found) throw new TypeError(`Expected a property ${name} in values.schema.json`);
  if (rest.length === 0) return { ...properties, [name]: { ...found, description } };
  const inner = withDescription(found['properties'] as Properties, rest, description);
  return { ...properties, [name]: { ...found, properties: inner } };
}

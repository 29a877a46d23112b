import type { TSchema } from 'typebox';

/** One leaf of the configuration: a dotted path with its JSON schema. */
export interface ConfigOption {
  /** For example `gateway.port`. */
  readonly path: string;
  /** For example `NECTAR_GATEWAY_PORT`. */
  readonly env: string;
  readonly schema: TSchema & { description?: string; default?: unknown; type?: string };
}

/** `gateway.maxBodyBytes` -> `NECTAR_GATEWAY_MAX_BODY_BYTES`. */
function envName(path: string): string {
  const words = path.replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2').replaceAll(/[.-]/g, '_');
  return `NECTAR_${words.toUpperCase()}`;
}

/** Every leaf of an object schema, in its order; an array is a leaf. */
export function configOptions(schema: TSchema, prefix = ''): ConfigOption[] {
  const properties = (schema as { properties?: Record<string, TSchema> }).properties;
  if (properties === undefined) return [{ path: prefix, env: envName(prefix), schema }];
  return Object.entries(properties).flatMap(([name, child]) =>
    configOptions(child, prefix === '' ? name : `${prefix}.${name}`),
  );
}

/** The value at a dotted path; undefined when any step is absent. */
export function getAt(root: unknown, path: string): unknown {
  let value: unknown = root;
  for (const step of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Record<string, unknown>)[step];
  }
  return value;
}

/** Sets the value at a dotted path, making the objects on the way; a step that is not an object is replaced. */
export function setAt(root: Record<string, unknown>, path: string, value: unknown): void {
  const steps = path.split('.');
  const last = steps.pop() ?? path;
  let target = root;
  for (const step of steps) {
    const next = Object.hasOwn(target, step) ? target[step] : undefined;
    if (typeof next === 'object' && next !== null && !Array.isArray(next)) {
      target = next as Record<string, unknown>;
    } else {
      const made: Record<string, unknown> = {};
      target[step] = made;
      target = made;
    }
  }
  target[last] = value;
}

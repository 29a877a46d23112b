import type { Document } from '../document.ts';
import { openDocument } from '../document.ts';
import { IMAGE_ENVIRONMENT, isOfEngine, isUsual, OWN_RULES } from './drift-rules.ts';
import type { Inspected } from './inspected.ts';
import { differences, type Fields, isNothing, sameValue } from './same-value.ts';

/**
 * Everything in which a container differs from the one that this program would make: each field of the engine's answer is what was
 * asked for, what the engine gives to everybody, or a difference. A field that nobody here has heard of is one too, unless it says
 * nothing. Values stay out where they may be secret: variables and labels are named, command lines only said to differ.
 *
 * @throws when this program does not know what it would make
 */
export function driftOf(container: Inspected): string[] {
  const body = container.context.bodies?.[container.role];
  if (body === undefined) throw new Error('what this program would make of the configuration is not known');
  const wanted = openDocument(body);
  return [
    ...configDrift(container, wanted),
    ...hostDrift(container, wanted),
    ...mountDrift(container, wanted),
    ...networkDrift(container, wanted),
  ];
}

/** What runs, as whom, with which variables. */
function configDrift(container: Inspected, wanted: Document): string[] {
  const config = container.document.in('Config');
  const own: Fields = fieldsOf(wanted);
  const { Env: env, Labels: labels, ...others } = fieldsOf(config);
  const wantedConfig = Object.fromEntries(Object.entries(own).filter(([name]) => !NO_CONFIG.includes(name)));
  return [
    ...differences('Config', { actual: others, wanted: wantedConfig }, (field, actual, asked) =>
      isFieldAsAsked({ section: 'Config', field, actual, asked }, container),
    ),
    ...environmentDrift(container, env, textsOf(own.Env)),
    ...labelDrift(labels, own.Labels),
  ];
}

/** Of a body of creation: what the engine shows elsewhere than in Config. */
const NO_CONFIG = ['name', 'HostConfig', 'NetworkingConfig', 'Env', 'Labels'];

/** An allow-list: whatever else is a variable of the container, somebody set it. */
function environmentDrift({ engine }: Inspected, actual: unknown, asked: readonly string[]): string[] {
  const allowed = new Map([...IMAGE_ENVIRONMENT, ...asked].map(pair));
  const found = new Map(textsOf(actual).map(pair));
  const extra = [...found].filter(
    ([name, value]) => allowed.get(name) !== value && !isOfEngine(engine, 'Env', name) && !allowed.has(name),
  );
  const changed = [...allowed].filter(([name, value]) => found.get(name) !== value);
  return [
    ...extra.map(([name]) => `Config.Env: ${name} was added`),
    ...changed.map(([name]) => `Config.Env: ${name} is ${found.has(name) ? 'another' : 'missing'}`),
  ];
}

function pair(entry: string): [string, string] {
  const at = entry.indexOf('=');
  return at < 0 ? [entry, ''] : [entry.slice(0, at), entry.slice(at + 1)];
}

/** Labels steer other programs: proxies that publish a container, updaters that replace it. */
function labelDrift(actual: unknown, asked: unknown): string[] {
  const found = recordOf(actual);
  const wanted = recordOf(asked);
  return [
    ...Object.keys(found)
      .filter((name) => !(name in wanted) && !OWN_RULES.labels.test(name))
      .map((name) => `Config.Labels: ${name} was added`),
    ...Object.entries(wanted)
      .filter(([name, value]) => found[name] !== value)
      .map(([name]) => `Config.Labels: ${name} is ${name in found ? 'another' : 'missing'}`),
  ];
}

/** What its host gives it, and what it may do there. */
function hostDrift(container: Inspected, wanted: Document): string[] {
  const sides = { actual: fieldsOf(container.document.in('HostConfig')), wanted: fieldsOf(wanted.in('HostConfig')) };
  return differences('HostConfig', sides, (field, actual, asked) =>
    isFieldAsAsked({ section: 'HostConfig', field, actual, asked }, container),
  );
}

interface Field {
  readonly section: 'Config' | 'HostConfig';
  readonly field: string;
  readonly actual: unknown;
  /** Undefined where this program leaves it to the engine. */
  readonly asked: unknown;
}

function isFieldAsAsked({ section, field, actual, asked }: Field, container: Inspected): boolean {
  const rule = OWN_RULES[section][field];
  if (rule !== undefined) return rule(actual, asked, container);
  if (asked === undefined) return isNothing(actual) || isUsual(container.engine, field, actual);
  return sameValue(actual, asked) || isUsual(container.engine, field, actual);
}

/** Where something lies in it that is not of its image: each place, its source, and whether it may be written. */
function mountDrift({ document, engine }: Inspected, wanted: Document): string[] {
  const actual = new Map(
    document
      .in('Mounts')
      .items()
      .map((mount) => [mount.in('Destination').text(), mount]),
  );
  const asked = new Map(
    wanted
      .in('HostConfig', 'Mounts')
      .items()
      .map((mount) => [mount.in('Target').text(), mount]),
  );
  const extra = [...actual.keys()].filter((target) => !asked.has(target));
  return [
    ...extra.map((target) => `Mounts: ${target} was added`),
    ...[...asked].flatMap(([target, mount]) => {
      const found = actual.get(target);
      if (found === undefined) return [`Mounts: ${target} is missing`];
      return mountProblems(found, mount, engine).map((problem) => `Mounts: ${target} ${problem}`);
    }),
  ];
}

const MOUNT_FIELDS = [
  'Type',
  'Name',
  'Source',
  'Destination',
  'Driver',
  'Mode',
  'RW',
  'Propagation',
  'Options',
  'SubPath',
];

function mountProblems(found: Document, asked: Document, engine: Inspected['engine']): string[] {
  const source = found.in(asked.in('Type').text() === 'volume' ? 'Name' : 'Source').textOr('');
  const options = found
    .in('Options')
    .items()
    .map((option) => option.textOr(''));
  return [
    ...(found.in('Type').text() === asked.in('Type').text() && source === asked.in('Source').text()
      ? []
      : [`comes from ${source || 'nowhere'}`]),
    ...(found.in('RW').flag() === !asked.in('ReadOnly').flagOr(false) ? [] : ['may be written, or may not']),
    ...(/^(r?private)?$/.test(found.in('Propagation').textOr('')) ? [] : ['propagates']),
    ...(['', 'local'].includes(found.in('Driver').textOr('')) ? [] : ['has another driver']),
    ...(found.in('SubPath').textOr('') === '' ? [] : ['is a part of its volume']),
    ...(engine === 'podman' || options.length === 0 ? [] : ['has options']),
    ...found
      .keys()
      .filter((key) => !MOUNT_FIELDS.includes(key) && !isNothing(found.in(key).raw()))
      .map((key) => `has ${key}`),
  ];
}

/** The networks that it is on, and how: names and addresses that the engine gives are its own. */
function networkDrift({ document, engine, role, node }: Inspected, wanted: Document): string[] {
  const settings = document.in('NetworkSettings');
  const mode = wanted.in('HostConfig', 'NetworkMode').text();
  const networks = settings.in('Networks').entries();
  const names = networks.map(([name]) => name);
  const known = [document.in('Id').text().slice(0, 12), role, `${node.prefix}${role}`];
  return [
    ...names.filter((name) => name !== mode).map((name) => `NetworkSettings.Networks: ${name} was added`),
    ...(names.includes(mode) || (mode === 'none' && names.length === 0)
      ? []
      : [`NetworkSettings.Networks: ${mode} is missing`]),
    ...networks.flatMap(([name, network]) =>
      network
        .entries()
        .filter(([field, value]) => !isEndpointField(field, value, known))
        .map(([field]) => `NetworkSettings.Networks.${name}.${field} is set`),
    ),
    ...settings
      .entries()
      .filter(([field, value]) => !OWN_RULES.networkSettings.includes(field) && !isNothing(value.raw()))
      .map(([field]) => `NetworkSettings.${field} is set`),
    ...(engine === 'podman' ? [] : portDrift(settings.in('Ports'), wanted.in('HostConfig', 'PortBindings'))),
  ];
}

function isEndpointField(field: string, value: Document, names: readonly string[]): boolean {
  if (OWN_RULES.endpoint.includes(field) || isNothing(value.raw())) return true;
  if (field === 'IPAMConfig') return value.entries().every(([, inner]) => isNothing(inner.raw()));
  return ['Aliases', 'DNSNames'].includes(field) && value.texts().every((name) => names.includes(name));
}

/** What is published now, whatever was asked for. A container that is stopped publishes nothing. */
function portDrift(actual: Document, asked: Document): string[] {
  const bound = (ports: Document): string[] =>
    ports
      .entries()
      .flatMap(([port, bindings]) =>
        bindings.items().map((at) => `${at.in('HostIp').textOr('')}:${at.in('HostPort').textOr('')}->${port}`),
      );
  const wanted = bound(asked);
  return bound(actual)
    .filter((binding) => !wanted.includes(binding))
    .map((binding) => `NetworkSettings.Ports: ${binding} was added`);
}

function fieldsOf(document: Document): Fields {
  return recordOf(document.raw());
}

function recordOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((entry): entry is string => typeof entry === 'string') : [];
}

import { NectarError } from '../../protocol/errors.ts';
import { socketsFolder } from './home-paths.ts';

/** How the roles of a node reach one another: by NECTAR_CROSSINGS, `sockets` (of one machine, the default) or `tls` (of a cluster). */
export type CrossingsConfig = SocketCrossings | TlsCrossings;

export interface SocketCrossings {
  readonly carrier: 'sockets';
  readonly folder: string;
}

export interface TlsCrossings {
  readonly carrier: 'tls';
  /** Holds tls.crt, tls.key and ca.crt. */
  readonly folder: string;
  /** The node's name among others of the cluster, as its certificates have it. */
  readonly instance: string;
  readonly listen: { readonly host?: string; readonly port: number };
  readonly addresses: Partial<Readonly<Record<ServingRole, CrossingAddress>>>;
}

export interface CrossingAddress {
  readonly host: string;
  readonly port: number;
}

type ServingRole = 'store' | 'audit' | 'rollup';
type Env = Readonly<Record<string, string | undefined>>;

const DEFAULT_FOLDER = '/run/nectar/tls';
const CROSSING_PORTS: Readonly<Record<ServingRole, number>> = { store: 7402, audit: 7403, rollup: 7404 };
const INSTANCE = /^(?=.{1,190}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/;
const ADDRESS = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9.-]*)):([0-9]{1,5})$/;

/** Labels of a DNS name, such as `<release>.<namespace>`: nodes in one cluster never take one another's certificates. */
export function isInstanceName(text: string): boolean {
  return INSTANCE.test(text);
}

/** @throws NectarError CONFIG_VALUE_INVALID */
export function crossingsConfig(role: string, home: string, env: Env): CrossingsConfig {
  const carrier = env.NECTAR_CROSSINGS || 'sockets';
  if (carrier === 'sockets') return { carrier, folder: socketsFolder(home, env) };
  if (carrier !== 'tls') throw invalid('NECTAR_CROSSINGS', 'sockets or tls');
  const instance = env.NECTAR_CROSSING_INSTANCE ?? '';
  if (!isInstanceName(instance))
    throw invalid('NECTAR_CROSSING_INSTANCE', 'labels of a DNS name, such as nectar.clinic');
  const folder = env.NECTAR_CROSSING_TLS || DEFAULT_FOLDER;
  return { carrier, folder, instance, listen: listenOf(role, env), addresses: addressesOf(env) };
}

function listenOf(role: string, env: Env): TlsCrossings['listen'] {
  const port = Object.hasOwn(CROSSING_PORTS, role) ? CROSSING_PORTS[role as ServingRole] : 0;
  const given = env.NECTAR_CROSSING_LISTEN || `:${port}`;
  const parsed = parseAddress(given);
  if (parsed === undefined)
    throw invalid('NECTAR_CROSSING_LISTEN', 'a port with or without an address: 10.0.0.7:7402, :7402');
  return parsed.host === '' ? { port: parsed.port } : parsed;
}

function addressesOf(env: Env): TlsCrossings['addresses'] {
  const addresses: Partial<Record<ServingRole, CrossingAddress>> = {};
  for (const role of ['store', 'audit', 'rollup'] as const) {
    const option = `NECTAR_CROSSING_${role.toUpperCase()}`;
    const given = env[option];
    if (given === undefined || given === '') continue;
    const address = parseAddress(given);
    if (address === undefined || address.host === '' || address.port === 0) throw invalid(option, 'host:port');
    addresses[role] = address;
  }
  return addresses;
}

function parseAddress(text: string): CrossingAddress | undefined {
  const [, six, host = '', port = ''] = ADDRESS.exec(text) ?? [];
  const number = Number(port);
  return port === '' || number > 65_535 ? undefined : { host: six ?? host, port: number };
}

function invalid(option: string, expected: string): NectarError<'CONFIG_VALUE_INVALID'> {
  return new NectarError('CONFIG_VALUE_INVALID', { option, expected });
}

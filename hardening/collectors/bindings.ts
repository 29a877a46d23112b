import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { openDocument } from './document.ts';
import type { EngineApi } from './engine-api.ts';
import type { ExpectedListener, FindBindings } from './listener.ts';

const LISTEN_STATE = '0A';
const LOOPBACK = /^(127\.|::1$|::ffff:127\.)/;
const ALL = ['0.0.0.0', '::', ''];

export interface Binding {
  readonly address: string;
  readonly port: number;
}

export function bindingText({ address, port }: Binding): string {
  return isIP(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`;
}

export function isLoopback({ address }: Binding): boolean {
  return LOOPBACK.test(address);
}

export function isAllInterfaces({ address }: Binding): boolean {
  return ALL.includes(address);
}

/** `localhost` may be either family; a port of 0 any. */
export function isAsConfigured({ address, port }: Binding, configured: ExpectedListener['configured']): boolean {
  const host = configured.host.toLowerCase();
  const sameHost = host === 'localhost' ? LOOPBACK.test(address) : host === address;
  return sameHost && (configured.port === 0 || configured.port === port);
}

/** Of a process of this machine: what its kernel lists as listening at that port. */
export const findOwnBindings: FindBindings = async ({ port }) => {
  const lists = await Promise.all(['tcp', 'tcp6'].map(readSocketList));
  return lists.flatMap(parseListening).filter((binding) => binding.port === port);
};

/** Of a container: what its engine says that it publishes at that port. Nothing is published by a container that is stopped. */
export function findPublishedBindings(
  engine: Pick<EngineApi, 'getJson'>,
  containers: Readonly<Record<string, string>>,
) {
  const find: FindBindings = async ({ name, port }, signal) => {
    const container = containers[name];
    if (container === undefined) return [];
    const answer = await engine.getJson(`/containers/${encodeURIComponent(container)}/json`, signal);
    if (answer === undefined) throw new Error(`there is no container ${container}`);
    const ports = openDocument(answer).in('NetworkSettings', 'Ports').entries();
    const published = ports.flatMap(([, bindings]) => bindings.items());
    return published
      .map((binding) => ({ address: binding.in('HostIp').textOr(''), port: Number(binding.in('HostPort').text()) }))
      .filter((binding) => binding.port === port);
  };
  return find;
}

async function readSocketList(name: string): Promise<string> {
  try {
    return await readFile(`/proc/net/${name}`, 'utf8');
  } catch (error) {
    // A kernel without IPv6 has no tcp6.
    if (name === 'tcp6' && (error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

/** proc(5): `sl local_address rem_address st ...`, addresses in hex as the machine stores 32-bit words. */
function parseListening(text: string): Binding[] {
  return text
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const [, local = '', , state] = line.trim().split(/\s+/);
      const [address = '', port = ''] = local.split(':');
      if (state !== LISTEN_STATE || !/^([0-9A-F]{8}|[0-9A-F]{32})$/.test(address)) return [];
      return [{ address: addressText(address), port: Number.parseInt(port, 16) }];
    });
}

function addressText(hex: string): string {
  const octets = [...hex.matchAll(/.{8}/g)].flatMap(([word]) => [...Buffer.from(word, 'hex')].reverse());
  if (octets.length === 4) return octets.join('.');
  const groups = Array.from(
    { length: 8 },
    (_, index) => ((octets[index * 2] ?? 0) << 8) | (octets[index * 2 + 1] ?? 0),
  );
  return new URL(`http://[${groups.map((group) => group.toString(16)).join(':')}]/`).hostname.slice(1, -1);
}

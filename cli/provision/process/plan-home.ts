import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { defaultKeyFile } from '../../../appliance/keys/index.ts';
import { parseDescriptor } from '../../../protocol/network/descriptor.ts';
import type { Terminal } from '../../terminal.ts';
import type { InitUnlock } from '../../unlock-offers.ts';
import { defaultPorts } from './default-ports.ts';
import { isDevnetHome } from './devnet-home.ts';
import { findFreePort } from './free-port.ts';
import { readRunning } from './running.ts';

export interface InitAnswers {
  readonly home: string;
  /** `devnet`, or the path of a descriptor. */
  readonly network: string;
  readonly devnet: string;
  readonly unlock: InitUnlock;
  readonly keyFile: string | undefined;
  readonly host: string;
  /** undefined: the usual one, or the next free. */
  readonly port: number | undefined;
  readonly p2pPort: number | undefined;
  /** Bytes for other members; 0 or undefined: none. */
  readonly offer?: number | undefined;
}

/** An L1 endpoint to compare the clock with, where a descriptor is at hand already. */
export function findL1({ network, devnet }: HomePlan): string | undefined {
  try {
    const path = network === 'devnet' ? join(devnet, 'network.json') : network;
    return parseDescriptor(readFileSync(path)).descriptor.endpoints.l1Rpc[0];
  } catch {
    return undefined;
  }
}

/** Everything that `init` would make; computing it changes nothing. */
export interface HomePlan {
  readonly home: string;
  readonly network: string;
  readonly devnet: string;
  readonly unlock: InitUnlock;
  readonly keyFile: string | undefined;
  readonly host: string;
  readonly port: number;
  /** Where peers are listened for. */
  readonly p2pHost: string;
  readonly p2pPort: number;
  /** Ports that a person named: these are not exchanged for others. */
  readonly namedPorts: readonly number[];
  readonly config: Readonly<Record<string, unknown>>;
  readonly files: readonly (readonly [path: string, what: string])[];
  readonly ports: readonly (readonly [port: number, what: string])[];
  readonly processes: readonly string[];
}

export async function planHome(answers: InitAnswers, terminal: Terminal): Promise<HomePlan> {
  const { home, network, devnet, unlock, host } = answers;
  const preferred = defaultPorts(terminal.env);
  const devnetPorts = Object.values(preferred.devnet);
  const port = answers.port ?? (await findFreePort(preferred.gateway, { host }));
  const p2pHost = network === 'devnet' ? '127.0.0.1' : '0.0.0.0';
  const p2pPort =
    answers.p2pPort ?? (await findFreePort(preferred.p2p, { host: p2pHost, taken: [port, ...devnetPorts] }));
  const keyFile = unlock === 'file' ? placeOfKeyFile(answers, terminal) : undefined;
  const config = {
    version: 1,
    gateway: { host, port },
    p2p: { listenHost: p2pHost, listenPort: p2pPort, ...(network === 'devnet' && { allowPrivateAddresses: true }) },
    ...(keyFile !== undefined && { keys: { keyFile } }),
    ...(answers.offer !== undefined && answers.offer > 0 && { store: { heldMaxBytes: answers.offer } }),
  };
  const makesDevnet = network === 'devnet' && !isDevnetHome(devnet);
  const startsDevnet = network === 'devnet' && readRunning(devnet) === undefined;
  return {
    ...{ home, network, devnet, unlock, keyFile, host, port, p2pHost, p2pPort, config },
    namedPorts: [answers.port, answers.p2pPort].filter((named) => named !== undefined),
    files: [
      ...homeFiles(home),
      ...(keyFile === undefined ? [] : [[keyFile, 'the key that opens the node, mode 0600'] as const]),
      ...(makesDevnet ? [[devnet, 'the devnet: L1 state, keys, descriptor'] as const] : []),
    ],
    ports: [
      [port, `HTTPS API on ${host}`],
      [p2pPort, `peers on ${p2pHost}`],
      ...(makesDevnet
        ? devnetPorts.map(
            (number, index) =>
              [number, `devnet: ${['L1', 'sequencer RPC', 'peers'][index]} on 127.0.0.1, or the next free`] as const,
          )
        : []),
    ],
    processes: [
      `nectar-byon run all --home ${home}`,
      ...(startsDevnet ? ['anvil (development L1)', `nectar-byon run sequencer --home ${devnet}`] : []),
    ],
  };
}

/** Absolute, since the node starts in another folder than the one that the path is relative to. */
function placeOfKeyFile({ home, keyFile }: InitAnswers, terminal: Terminal): string {
  return keyFile === undefined
    ? defaultKeyFile(configFolder(terminal), home)
    : resolve(terminal.workingFolder, keyFile);
}

function homeFiles(home: string): (readonly [string, string])[] {
  return [
    [join(home, 'config.json'), 'what differs from the defaults'],
    [join(home, 'network.json'), 'the signed network descriptor'],
    [join(home, 'keys.json'), 'the wrapped root key'],
    [join(home, 'identity/'), 'sealed identities, and their public halves'],
    [join(home, 'tls/'), 'the certificate of its own CA, and its server certificate'],
    [join(home, 'tokens.json'), 'the list of access tokens, without the tokens'],
    [join(home, 'client/token'), 'the access token of this command, mode 0600'],
    [join(home, 'store/'), 'sealed records'],
    [join(home, 'audit/'), 'the audit log'],
    [join(home, 'rollup/'), 'the state of the chain'],
    [join(home, 'logs/'), 'node.log'],
    [join(home, 'run/'), 'what runs now'],
  ];
}

export function configFolder(terminal: Terminal): string {
  return terminal.env.XDG_CONFIG_HOME || join(terminal.userFolder || homedir(), '.config');
}

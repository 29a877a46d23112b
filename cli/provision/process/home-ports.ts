import { loadConfig } from '../../../appliance/config/index.ts';
import { NectarError } from '../../../protocol/errors.ts';
import { isPortTaken } from './free-port.ts';
import { describeHolder } from './port-holder.ts';

/**
 * Looks at the ports of a home before its node starts: the error of a port that was taken while the node was down names the program
 * that has it. A node that finds one taken a moment later says so itself, without the name.
 *
 * @throws NectarError GATEWAY_PORT_IN_USE, NETWORK_LISTEN_REFUSED
 */
export async function requireHomePorts(home: string, env: Readonly<Record<string, string | undefined>>): Promise<void> {
  const { gateway, p2p } = loadConfig({ home, env }).config;
  for (const [option, host, port] of [
    ['gateway.port', gateway.host, gateway.port],
    ['gateway.metricsPort', gateway.metricsHost, gateway.metricsPort],
  ] as const) {
    if (await isPortTaken(port, host))
      throw new NectarError('GATEWAY_PORT_IN_USE', { host, port, option, ...holderOf(port) });
  }
  const { listenHost, listenPort } = p2p;
  if (!(await isPortTaken(listenPort, listenHost))) return;
  throw new NectarError('NETWORK_LISTEN_REFUSED', {
    address: `${listenHost}:${listenPort}`,
    holder: describeHolder(listenPort) ?? 'another program',
  });
}

function holderOf(port: number): { holder?: string } {
  const holder = describeHolder(port);
  return holder === undefined ? {} : { holder };
}

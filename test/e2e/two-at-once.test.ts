import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after } from 'node:test';
import { parseDescriptor } from '../../protocol/network/descriptor.ts';
import { createSteps } from './steps.ts';
import { Workplace } from './workplace.ts';

// Two people of one machine: what is free for one when it looks is free for the other too.
const first = new Workplace();
const second = new Workplace();
const both = [first, second];
second.env.NECTAR_PORT_OFFSET = first.env.NECTAR_PORT_OFFSET ?? '';

const step = createSteps(false);

after(async () => {
  for (const place of both) {
    await place.run(['down', '--home', place.path('home')]);
    await place.run(['devnet', 'down']);
    place.remove();
  }
});

function portsOf(place: Workplace): number[] {
  const config = JSON.parse(readFileSync(place.path('home', 'config.json'), 'utf8'));
  const { endpoints, bootstrap } = parseDescriptor(readFileSync(place.path('home', 'network.json'))).descriptor;
  const url = (text: string | undefined): number => Number(new URL(text ?? '').port);
  const devnetPeers = Number(/\/tcp\/(\d+)/.exec(bootstrap[0] ?? '')?.[1]);
  return [
    config.gateway.port,
    config.p2p.listenPort,
    url(endpoints.l1Rpc[0]),
    url(endpoints.sequencerRpc[0]),
    devnetPeers,
  ];
}

step('two devnets and two nodes made at the same moment get ports of their own', async () => {
  await Promise.all(both.map((place) => place.json(['init', '--yes', '--home', place.path('home')])));
  const ports = both.flatMap(portsOf);
  assert.equal(new Set(ports).size, ports.length, `each port once: ${ports}`);
  for (const place of both) {
    const status = await place.json<{ ready: boolean }>(['status', '--home', place.path('home')]);
    assert.equal(status.ready, true);
  }
});

step('a port that was named is not exchanged for another', async () => {
  const [taken] = portsOf(first);
  const error = await second.error(['init', '--yes', '--home', second.path('other'), '--port', String(taken)]);
  assert.equal(error.code, 'CLI_PREFLIGHT_REFUSED');
  assert.match(error.message, new RegExp(String(taken)));
});

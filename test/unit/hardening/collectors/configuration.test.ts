import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configOptions, nodeConfigSchema } from '../../../../appliance/config/index.ts';
import { resolveConfig } from '../../../../appliance/config/load.ts';
import { createConfigurationCollector } from '../../../../hardening/collectors/configuration.ts';
import { createNodeCollector } from '../../../../hardening/collectors/node-itself.ts';
import type { NodeSettings } from '../../../../hardening/collectors/node-settings.ts';
import { collect, valuesOf } from './facts-of.ts';

const options = configOptions(nodeConfigSchema).map(({ path }) => path);

/** As the command line hands it over. */
function settingsOf(file: Record<string, unknown>): NodeSettings {
  try {
    const { config } = resolveConfig(file, { path: 'config.json' });
    return { file, effective: config, problems: [], options, descriptor: undefined };
  } catch (error) {
    return { file, effective: undefined, problems: [(error as Error).message], options, descriptor: undefined };
  }
}

async function look(settings: NodeSettings): Promise<Record<string, unknown>> {
  const node = createNodeCollector({ target: 'process', state: 'running', version: '0.1.0', settings });
  const facts = await collect(node, createConfigurationCollector({ settings, ownAddresses: ['172.18.0.1'] }));
  return valuesOf(facts, 'node', 'node');
}

const L1 = { rollup: { l1RpcUrls: ['https://l1.example'], sequencerRpcUrls: ['https://sequencer.example'] } };

test('tells the options in force, defaults included', async () => {
  const seen = await look(settingsOf({ ...L1, gateway: { host: '0.0.0.0', metricsPort: 9100 } }));
  assert.equal(seen['node.configValid'], true);
  assert.equal(seen['node.gatewayHost'], '0.0.0.0');
  assert.equal(seen['node.gatewayAllInterfaces'], true);
  assert.equal(seen['node.metricsEnabled'], true);
  assert.equal(seen['node.maxDenialsPerMinute'], 60);
  assert.equal(seen['node.replicas'], 1);
  assert.equal(seen['node.logLevel'], 'info');
  assert.deepEqual(seen['node.configUnknown'], []);
  assert.deepEqual(seen['node.configSecrets'], []);
  assert.deepEqual(seen['node.l1PlainHttp'], []);
  assert.equal(seen['node.l1Endpoints'], 1);
});

test('names plain HTTP that leaves the machine, by host alone: the rest of a URL may be a key', async () => {
  const l1RpcUrls = [
    'http://l1.example/v2/apikey',
    'http://127.0.0.1:8545',
    'http://172.18.0.1:8545',
    'http://[::1]:1',
  ];
  const sequencerRpcUrls = ['http://sequencer.example', 'http://localhost:9545'];
  const seen = await look(settingsOf({ rollup: { l1RpcUrls, sequencerRpcUrls } }));
  assert.deepEqual(seen['node.l1PlainHttp'], ['l1.example', 'sequencer.example']);
});

test('names what no option is and what looks like a secret, of a configuration that is not valid too', async () => {
  const file = {
    gateway: { hots: '::' },
    cloud: { apiKey: 'Zk3mQ9xV7bT2rY8wL5nC1dF6gH4jP0sA' },
    log: { level: 'info' },
  };
  const seen = await look(settingsOf(file));
  assert.equal(seen['node.configValid'], false);
  assert.deepEqual(seen['node.configUnknown'], ['cloud', 'gateway.hots']);
  assert.deepEqual(seen['node.configSecrets'], ['cloud.apiKey']);
  assert.match((seen['node.gatewayHost'] as { error: string }).error, /not valid: .*unknown option/);
});

test('tells a proxy with a password, and an endpoint with one, without either', async () => {
  const proxyUrl = 'http://clinic:hunter2hunter2@proxy.example:3128';
  const seen = await look(settingsOf({ rollup: { ...L1.rollup, proxyUrl } }));
  assert.equal(seen['node.proxyCredentials'], true);
  assert.deepEqual(seen['node.configSecrets'], ['rollup.proxyUrl']);
  assert.ok(!JSON.stringify(seen).includes('hunter2'));
});

test('sees nothing of a configuration that could not be read', async () => {
  const seen = await look({
    file: undefined,
    effective: undefined,
    problems: ['EACCES'],
    options,
    descriptor: undefined,
  });
  assert.deepEqual(seen['node.configUnknown'], { error: 'the configuration could not be read: EACCES' });
  assert.deepEqual(seen['node.replicas'], { error: 'the configuration is not valid: EACCES' });
  assert.deepEqual(seen['node.descriptorSigned'], { error: 'the network descriptor could not be read' });
});

test('does not take a descriptor that was altered for a signed one', async () => {
  const settings = { ...settingsOf(L1), descriptor: Buffer.from('{"version":1,"name":"testnet"}') };
  const seen = await look(settings);
  assert.equal(seen['node.descriptorSigned'], false);
  assert.match((seen['node.network'] as { error: string }).error, /descriptor/);
});

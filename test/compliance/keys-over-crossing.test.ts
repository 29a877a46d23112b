import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBackupKeysClient, createKeysClient } from '../../appliance/crossing/store/client.ts';
import { backupKeyRoutes, keyRoutes } from '../../appliance/crossing/store/key-routes.ts';
import { isNectarError } from '../../protocol/errors.ts';
import { CARRIERS, type CarrierName, createCrossingHouse } from './crossing-house.ts';
import { keysCompliance } from './keys.ts';
import { createStandingKeys, NODE_ID, PASSPHRASE } from './standing-keys.ts';

async function openHouse(carrier: CarrierName) {
  const standing = await createStandingKeys();
  const house = await createCrossingHouse('store', carrier);
  await house.serve([...keyRoutes(standing.keys, standing.tokenSigner), ...backupKeyRoutes(standing.backups)]);
  const keys = createKeysClient(house.connection);
  const close = async (): Promise<void> => {
    await house.close();
    await standing.close();
  };
  const backups = createBackupKeysClient(house.connection);
  return { standing, keys, backups, close };
}

for (const carrier of CARRIERS) {
  keysCompliance(`over ${carrier}`, async () => {
    const { standing, keys, backups, close } = await openHouse(carrier);
    const tokens = await standing.openTokens({ sign: keys.signToken });
    const { checkpointKey } = standing;
    return { keys, backups, checkpointKey, nodeId: NODE_ID, tokens, passphrase: PASSPHRASE, close };
  });
}

test('the store signs the input of a token with the token key, and nothing else', async () => {
  const { keys, close } = await openHouse('sockets');
  try {
    await keys.unlock({ provider: 'passphrase', passphrase: Buffer.from(PASSPHRASE) });
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    assert.equal((await keys.signToken(Buffer.from(`${part({ alg: 'EdDSA' })}.${part({ sub: 'x' })}`))).length, 64);
    for (const bytes of [Buffer.from('nectar-byon/1\n5\nroot\n'), new Uint8Array(0), Buffer.alloc(32, 1)]) {
      await assert.rejects(keys.signToken(bytes), (error) => isNectarError(error, 'NODE_MESSAGE_INVALID'));
    }
    await assert.rejects(keys.signToken(Buffer.alloc(100_000, 'e')), (error) =>
      isNectarError(error, 'NODE_MESSAGE_INVALID'),
    );
  } finally {
    await close();
  }
});

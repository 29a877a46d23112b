import { keysCompliance } from './keys.ts';
import { createStandingKeys, NODE_ID, PASSPHRASE } from './standing-keys.ts';

keysCompliance('in process', async () => {
  const standing = await createStandingKeys();
  const tokens = await standing.openTokens(standing.tokenSigner);
  const { keys, backups, checkpointKey } = standing;
  const close = (): Promise<void> => standing.close();
  return { keys, backups, checkpointKey, nodeId: NODE_ID, tokens, passphrase: PASSPHRASE, close };
});

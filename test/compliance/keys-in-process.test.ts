import { keysCompliance } from './keys.ts';
import { createStandingKeys, PASSPHRASE } from './standing-keys.ts';

keysCompliance('in process', async () => {
  const standing = await createStandingKeys();
  const tokens = await standing.openTokens(standing.tokenSigner);
  return { keys: standing.keys, tokens, passphrase: PASSPHRASE, close: () => standing.close() };
});

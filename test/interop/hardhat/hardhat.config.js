import hardhatEthers from '@nomicfoundation/hardhat-ethers';
import { defineConfig } from 'hardhat/config';

export default defineConfig({
  plugins: [hardhatEthers],
  networks: {
    nectar: {
      type: 'http',
      chainType: 'generic',
      url: process.env.NECTAR_RPC ?? '',
      accounts: [process.env.NECTAR_KEY ?? ''],
    },
  },
});

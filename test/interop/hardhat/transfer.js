/** Deploys the token whose ABI and code stand in NECTAR_TOKEN, sends some of it, and says what Hardhat saw: one line of JSON. */
import { readFileSync } from 'node:fs';
import { network } from 'hardhat';

const { abi, bytecode } = JSON.parse(readFileSync(process.env.NECTAR_TOKEN, 'utf8'));
const { ethers, provider } = await network.getOrCreate('nectar');
const [signer] = await ethers.getSigners();
const token = await (await ethers.getContractFactory(abi, bytecode, signer)).deploy(1_000n);
await token.waitForDeployment();
const receipt = await (await token.transfer(process.env.NECTAR_TO, 5n)).wait();
const events = await token.queryFilter(token.filters.Transfer(null, process.env.NECTAR_TO));
const refused = await token.transfer.staticCall(process.env.NECTAR_TO, 10n ** 30n).then(
  () => 'taken',
  (error) => error.code,
);
const seen = {
  chainId: Number((await ethers.provider.getNetwork()).chainId),
  status: receipt.status,
  balance: Number(await token.balanceOf(process.env.NECTAR_TO)),
  events: events.length,
  nonce: await ethers.provider.getTransactionCount(signer.address),
  blockNumber: Number(await provider.request({ method: 'eth_blockNumber', params: [] })),
  refused,
};
process.stdout.write(`${JSON.stringify(seen)}\n`);

import {
  AbiCoder,
  Contract,
  ContractFactory,
  concat,
  hexlify,
  id,
  JsonRpcProvider,
  keccak256,
  NonceManager,
  TypedDataEncoder,
  toBeHex,
  Wallet,
  ZeroHash,
} from 'ethers';
import { ChallengeManagerAbi, ChallengeManagerInitCode } from '../../../contracts/generated/ChallengeManager.ts';
import { findG, findState, type Point } from '../../model/disputes/machine.ts';
import type { Move } from '../../model/disputes/move.ts';
import { TestDisputedRollupAbi, TestDisputedRollupInitCode } from '../generated/TestDisputedRollup.ts';
import { UNIT } from './machine.ts';

const FIELD_MODULUS = 0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001n;
const FLAGS = ['RUN', 'OK', 'FAIL'];
const FIRST_BATCH = 3;
const TARGET = 10;
const STATE = 'tuple(bytes32,bytes32,bytes32,uint8)';
const G = 'tuple(bytes32,bytes32,uint64,uint64)';
const MOVE = {
  Move: [
    ['bytes32', 'challenge'],
    ['uint8', 'round'],
    ['uint8', 'choice'],
    ['uint64', 'iteration'],
    ['uint64', 'step'],
    ['bytes32', 'prev'],
    ['bytes32', 'start'],
    ['bytes32', 'end'],
    ['bytes32', 'root'],
  ].map(([type = '', name = '']) => ({ type, name })),
};
const CONCEDE = { Concede: [{ type: 'bytes32', name: 'challenge' }] };
const coder = AbiCoder.defaultAbiCoder();
const pair = (left: string, right: string): string => keccak256(concat([left, right]));

/** The contract, the double of all that it asks, and the model's points in its encoding. */
export type ContractSide = Awaited<ReturnType<typeof createContractSide>>;

export async function createContractSide(rpcUrl: string, key: Uint8Array) {
  const provider = new JsonRpcProvider(rpcUrl, undefined, { staticNetwork: true, cacheTimeout: -1 });
  provider.pollingInterval = 10;
  const sender = new NonceManager(new Wallet(hexlify(key), provider));
  const deploy = async (abi: readonly object[], code: string, args: readonly unknown[]): Promise<Contract> => {
    const deployed = await new ContractFactory([...abi], code, sender).deploy(...args);
    await deployed.waitForDeployment();
    return new Contract(await deployed.getAddress(), [...abi], sender);
  };
  const rollup = await deploy(TestDisputedRollupAbi, TestDisputedRollupInitCode, []);
  const timelock = await sender.getAddress();
  const manager = await deploy(ChallengeManagerAbi, ChallengeManagerInitCode, [await rollup.getAddress(), timelock]);
  await (await rollup.getFunction('setManager').send(await manager.getAddress())).wait();
  const configHash = keccak256(
    coder.encode(
      ['tuple(bytes32,bytes32,address,address,uint128,uint64,uint64)'],
      [[ZeroHash, toBeHex(0xc0, 32), await rollup.getAddress(), await manager.getAddress(), 0, 0, 0]],
    ),
  );
  const domain = {
    name: 'Nectar ChallengeManager',
    version: '1',
    chainId: (await provider.getNetwork()).chainId,
    verifyingContract: await manager.getAddress(),
  };
  const encoding = createEncoding(configHash);
  return {
    provider,
    rollup,
    manager,
    sender,
    encoding,
    digestOf: (move: object) => TypedDataEncoder.hash(domain, MOVE, move),
    sign: (wallet: Wallet, move: object) => wallet.signTypedData(domain, MOVE, move),
    concede: (wallet: Wallet, challenge: string) => wallet.signTypedData(domain, CONCEDE, { challenge }),
    close: () => provider.destroy(),
  };
}

/** Points of the model as the contract hashes them. */
function createEncoding(configHash: string) {
  const openG = (g: number): readonly unknown[] => {
    const failed = g % UNIT;
    const name = toBeHex(Math.floor(g / UNIT), 32);
    return [name, ZeroHash, FIRST_BATCH + failed, failed === 0 ? 7 : 0];
  };
  const hashG = (g: number): string => keccak256(coder.encode([G], [openG(g)]));
  const inputOf = (g: number): string => {
    const batch = FIRST_BATCH + (g % UNIT);
    const acc = batch < TARGET ? toBeHex(batch, 32) : ZeroHash;
    return keccak256(coder.encode([G, 'uint64', 'bytes32', 'bytes32'], [openG(g), TARGET, acc, configHash]));
  };
  const coreOf = (core: string): string => {
    const plain = core.replace('~', '');
    const [program = 0n, step = 0n] = plain === 'c0' ? [] : plain.split('.').map(BigInt);
    const number = plain === 'c0' ? 0xc0n : (1n << 200n) | (program << 64n) | step;
    return toBeHex(core === plain ? number : number + FIELD_MODULUS, 32);
  };
  /** The machine's state behind a point; any state for a point that is none. */
  const openState = (point: Point): readonly unknown[] => {
    const state = findState(point);
    if (state === undefined) return [id(point), ZeroHash, ZeroHash, 0];
    const { core, input, output, flag } = state;
    return [coreOf(core), inputOf(input), output === 0 ? ZeroHash : hashG(output), FLAGS.indexOf(flag)];
  };
  const hash = (point: Point): string => {
    const g = findG(point);
    if (g !== undefined) return hashG(g);
    return findState(point) === undefined ? id(point) : keccak256(coder.encode([STATE], [openState(point)]));
  };
  return { openG, openState, hash, treeOf };
}

/** A heap, the root at 1. */
function treeOf(points: readonly string[]): readonly string[] {
  const tree = [...points.map(() => ''), ...points];
  for (let i = points.length - 1; i > 0; i--) tree[i] = pair(tree[2 * i] ?? '', tree[2 * i + 1] ?? '');
  return tree;
}

/** A move's points around a choice, with their paths. */
export function openingOf(tree: readonly string[], choice: number): readonly unknown[] {
  const half = tree.length / 2;
  const pathOf = (index: number): string[] => {
    const path: string[] = [];
    for (let at = half + index; at > 1; at = Math.floor(at / 2)) path.push(tree[at ^ 1] ?? '');
    return path;
  };
  const before = choice === 0 ? ZeroHash : tree[half + choice - 1];
  return [before, pathOf(Math.max(0, choice - 1)), tree[half + choice], pathOf(choice)];
}

/** What of a move of the model the contract is given, its parent's digest apart. */
export const placeOf = ({ round, choice, iteration, step }: Move): object => ({ round, choice, iteration, step });

/** The first state of a chain, which no block made: what protocol/rollup/genesis.ts takes of the machine. */
import { bytesToHex } from '../../protocol/rollup/bytes.ts';
import type { GenesisAccount, GenesisMachine } from '../../protocol/rollup/genesis.ts';
import type { AccountOverride } from './calls.ts';
import type { Machine } from './machine.ts';

const CONSTRUCTOR_GAS = 30_000_000n;
/** Who calls: nobody's address. */
const NO_CALLER = '0x0000000000000000000000000000000000000000';

function override({ address, nonce, balanceWei, code, storage }: GenesisAccount): AccountOverride {
  return { address, nonce, balanceWei, code, storage: { kind: 'replace', slots: storage } };
}

export function createGenesisMachine(machine: Pick<Machine, 'simulate' | 'buildState'>): GenesisMachine {
  return {
    construct({ address, creation }, { header, accounts }) {
      const begun = { address, nonce: 1n, balanceWei: 0n, code: creation, storage: [] };
      const call = {
        from: NO_CALLER,
        to: address,
        gas: CONSTRUCTOR_GAS,
        gasPrice: 0n,
        value: 0n,
        data: new Uint8Array(),
        accessList: [],
      } as const;
      const step = { call, accounts: [...accounts, begun].map(override) };
      const [result] = machine.simulate(header, [step], { touched: true });
      if (result?.outcome !== 'ok' || result.isCut || result.output.length === 0) return undefined;
      const own = result.touched.find((touched) => touched.address === address);
      // What a constructor did to another contract would be lost.
      const isElsewhere = result.touched.some(
        (touched) => touched !== own && touched.slots.some(({ before, after }) => before !== after),
      );
      if (own === undefined || isElsewhere) return undefined;
      const storage = own.slots.flatMap(({ slot, after }) => (after === 0n ? [] : [[slot, after] as const]));
      return { ...begun, code: result.output, storage };
    },
    buildState(accounts) {
      const { root, fresh } = machine.buildState(accounts);
      return { root: bytesToHex(root), preimages: new Map(fresh.map(({ hash, bytes }) => [bytesToHex(hash), bytes])) };
    },
  };
}

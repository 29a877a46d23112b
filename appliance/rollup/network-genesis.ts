import { AuditAnchorInitCode } from '../../contracts/generated/AuditAnchor.ts';
import { MessengerInitCode } from '../../contracts/generated/Messenger.ts';
import { NodeRegistryInitCode } from '../../contracts/generated/NodeRegistry.ts';
import { RecordRegistryInitCode } from '../../contracts/generated/RecordRegistry.ts';
import { StorageDealsInitCode } from '../../contracts/generated/StorageDeals.ts';
import { createGenesisMachine } from '../../machine/host/genesis-machine.ts';
import { createMachine } from '../../machine/host/machine.ts';
import { NectarError } from '../../protocol/errors.ts';
import { genesisOf, type NetworkDescriptor } from '../../protocol/network/descriptor.ts';
import { buildGenesis, type Genesis } from '../../protocol/rollup/genesis.ts';
import type { Rules } from '../../protocol/rollup/rules.ts';
import { loadMachine } from './execute/machine-file.ts';
import { forkOf, rulesOf } from './network-rules.ts';

/** The network's first block. Throws ROLLUP_GENESIS_INVALID when this version's contracts do not give the one that is described. */
export function verifiedGenesis(descriptor: NetworkDescriptor, rules: Rules): Genesis {
  const genesis = buildDescriptorGenesis(descriptor, rules);
  if (genesis.hash === descriptor.l2.genesisHash) return genesis;
  const reason = `it hashes to ${genesis.hash}, the network descriptor says ${descriptor.l2.genesisHash}`;
  throw new NectarError('ROLLUP_GENESIS_INVALID', { reason });
}

/** The genesis that the descriptor's parameters and this version's contracts give; also how a new network gets its hash. */
export function buildDescriptorGenesis(
  descriptor: Pick<NetworkDescriptor, 'l2'>,
  rules: Rules = rulesOf(descriptor),
): Genesis {
  const code = {
    nodeRegistry: NodeRegistryInitCode,
    recordRegistry: RecordRegistryInitCode,
    auditAnchor: AuditAnchorInitCode,
    messenger: MessengerInitCode,
    storageDeals: StorageDealsInitCode,
  };
  const machineRules = { chainId: BigInt(descriptor.l2.chainId), ...forkOf(descriptor) };
  // Of a state that is not there yet nothing can be read.
  const machine = createMachine(loadMachine(), machineRules, { get: () => undefined });
  const parts = { rules, machine: createGenesisMachine(machine) };
  return buildGenesis(genesisOf(descriptor as NetworkDescriptor), code, parts);
}

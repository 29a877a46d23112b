import { loadMachine } from '../../../../../appliance/rollup/execute/machine-file.ts';
import type { DerivedInputs, DerivePlace } from '../../../../../machine/host/derive.ts';
import { type GivenPreimages, openPreimages } from '../../../../../machine/host/given-preimages.ts';
import type { Preimages } from '../../../../../machine/host/instance.ts';
import { createMachine } from '../../../../../machine/host/machine.ts';
import { MACHINE_RULES } from '../execute/chain-fixture.ts';

/** The machine on this thread, as a node's reading thread runs it: it knows what it is given, and nothing else. */
export function createInlineDeriver() {
  let given: Required<Preimages> | undefined;
  const machine = createMachine(loadMachine(), MACHINE_RULES, {
    get: (kind, hash) => given?.get(kind, hash),
    getInbox: (kind, hash) => given?.getInbox(kind, hash),
  });
  return {
    /** As after a trap: nothing is kept. */
    forget: () => machine.forget(),
    async deriveInputs(place: DerivePlace, preimages: GivenPreimages): Promise<DerivedInputs> {
      given = openPreimages(preimages);
      return machine.deriveInputs(place);
    },
  };
}

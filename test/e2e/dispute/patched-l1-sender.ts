import { Interface } from 'ethers';
import * as real from '../../../appliance/rollup/batcher/l1-sender.ts';
import { ChallengeManagerAbi } from '../../../contracts/generated/ChallengeManager.ts';
import { hold } from './hold.ts';

const SETTLE = new Interface([...ChallengeManagerAbi]).getFunction('settle')?.selector ?? '';

/** Stops when L1 has been sent the proof, before it says that it has it. */
export function createL1Sender(...input: Parameters<typeof real.createL1Sender>): real.PricedL1Sender {
  const sender = real.createL1Sender(...input);
  return {
    ...sender,
    async send(call, signal) {
      const outgoing = await sender.send(call, signal);
      return call.data.startsWith(SETTLE) ? hold() : outgoing;
    },
  };
}

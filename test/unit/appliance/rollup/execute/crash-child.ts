/** Run as a program by crash.test.ts: extends the chain in a folder for ever and prints each block's number once it is committed. */
import { alice, input, openChain, transfer } from './chain-fixture.ts';

const [folder] = process.argv.slice(2);
const chain = await openChain(undefined, folder);
for (;;) {
  const { unsafe, safe } = chain.executor.heads();
  const number = unsafe.number;
  if (number % 3n !== 2n) await chain.executor.build(input(Number(number), [await transfer(alice, Number(number))]));
  // A kill may have left the safe head behind: every block follows, by promotion or, the last of two in three, by execution.
  if (number % 3n !== 0n) {
    for (let at = safe.number; at <= number; at += 1n) {
      const derived = input(Number(at), [await transfer(alice, Number(at))]);
      await chain.executor.appendSafe(derived, new Map([['cursor', Buffer.from(`${at + 1n}`)]]));
    }
  }
  process.stdout.write(`${chain.executor.heads().unsafe.number}\n`);
}

/** Run as a program by crash.test.ts: extends the chain in a folder for ever and prints each block's number once it is committed. */
import { alice, input, openChain, transfer } from './chain-fixture.ts';

const [folder] = process.argv.slice(2);
const chain = await openChain(undefined, folder);
for (;;) {
  const { unsafe, safe } = chain.executor.heads();
  const number = unsafe.number;
  const raw = await transfer(alice, Number(number));
  const next = input(Number(number), [raw]);
  if (number % 3n === 2n) await chain.executor.appendSafe(next, new Map([['cursor', Buffer.from(`${number + 1n}`)]]));
  else {
    await chain.executor.build(next);
    if (number % 3n === 1n) {
      for (let at = safe.number; at <= number; at += 1n) {
        const promoted = input(Number(at), [await transfer(alice, Number(at))]);
        await chain.executor.appendSafe(promoted, new Map([['cursor', Buffer.from(`${at + 1n}`)]]));
      }
    }
  }
  process.stdout.write(`${chain.executor.heads().unsafe.number}\n`);
}

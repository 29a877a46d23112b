/** A process of its own that holds a folder lock: `node lock-holder.ts PATH PURPOSE`. Says "held" and stays, or says "busy" and ends. */
import { tryLock } from '../../../appliance/folder-lock.ts';

const [path = '', purpose = ''] = process.argv.slice(2);
const lock = await tryLock(path, purpose);
process.stdout.write(lock === undefined ? 'busy\n' : 'held\n');
if (lock !== undefined) {
  process.stdin.resume();
  await new Promise((resolve) => process.stdin.once('end', resolve));
  await lock.release();
}

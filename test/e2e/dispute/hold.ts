import { writeFileSync } from 'node:fs';

/** Says that the point is reached, and never goes on. */
export async function hold(): Promise<never> {
  writeFileSync(process.env.NECTAR_TEST_MARK ?? '', 'here');
  return new Promise(() => {});
}

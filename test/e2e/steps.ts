import { test } from 'node:test';

/** Steps of one story: each builds on those before it, so that after the first that fails the others do not run. */
export function createSteps(skip: string | false): (name: string, body: () => Promise<void>) => void {
  let broken = false;
  return (name, body) => {
    test(name, { skip }, async (t) => {
      if (broken) return t.skip('an earlier step of the story failed');
      broken = true;
      await body();
      broken = false;
    });
  };
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createVerifiedTokens } from '../../../../appliance/gateway/verified-tokens.ts';

const EXPIRES = 1_000;

function counted(now: () => number) {
  const verified = createVerifiedTokens(now);
  const seen: string[] = [];
  const claims = (token: string) =>
    verified.claims(token, async () => {
      seen.push(token);
      if (token.startsWith('forged')) throw new RangeError('signature');
      return { jti: token, exp: EXPIRES };
    });
  return { claims, seen };
}

test('the signature of a token is checked once while it is valid, and again from the second in which it expires', async () => {
  let now = 0;
  const { claims, seen } = counted(() => now);
  assert.deepEqual(await claims('a'), { jti: 'a', exp: EXPIRES });
  now = EXPIRES * 1000 - 1;
  assert.deepEqual(await claims('a'), { jti: 'a', exp: EXPIRES });
  assert.deepEqual(seen, ['a']);
  now = EXPIRES * 1000;
  await claims('a');
  assert.deepEqual(seen, ['a', 'a']);
});

test('a token that does not verify is never remembered, nor does one stand for another', async () => {
  const { claims, seen } = counted(() => 0);
  await assert.rejects(claims('forged'), RangeError);
  await assert.rejects(claims('forged'), RangeError);
  await claims('a');
  await assert.rejects(claims('forged a'), RangeError);
  assert.deepEqual(seen, ['forged', 'forged', 'a', 'forged a']);
});

test('what is remembered is bounded: the oldest is forgotten, the newest is known', async () => {
  const { claims, seen } = counted(() => 0);
  for (let i = 0; i <= 1024; i++) await claims(`t${i}`);
  seen.length = 0;
  await claims('t1024');
  await claims('t0');
  assert.deepEqual(seen, ['t0']);
});

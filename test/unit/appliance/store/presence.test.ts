import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { RecordId } from '../../../../protocol/brand.ts';
import { NectarError } from '../../../../protocol/errors.ts';
import { hasCode } from '../../../compliance/store.ts';
import { context, createFixture, type Fixture, put } from './store-fixture.ts';

describe('the question which records are there', () => {
  let f: Fixture;
  beforeEach(async () => {
    f = await createFixture();
  });
  afterEach(() => f.close());

  it('is refused without ids, and with more than a thousand', async () => {
    for (const count of [0, 1_001]) {
      const ids = Array.from({ length: count }, () => 'ab'.repeat(16) as RecordId);
      await assert.rejects(f.store.present(ids, context), hasCode('STORE_INPUT_INVALID'));
    }
  });

  it('is not answered when its leaf cannot be written', async () => {
    const { recordId } = await put(f.store, Buffer.from('x'));
    f.audit.failNext = 'record.query';
    await assert.rejects(
      f.store.present([recordId], context),
      (error) => error instanceof NectarError && error.code === 'AUDIT_NOT_WRITABLE',
    );
  });
});

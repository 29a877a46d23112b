import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type BackupStatement,
  encodeBackupHeader,
  encodeStatement,
  parseBackupHeader,
  parseStatement,
} from '../../../../protocol/backup/statement.ts';
import { isNectarError } from '../../../../protocol/errors.ts';

const statement: BackupStatement = {
  nodeId: '00112233445566778899aabbccddeeff',
  createdAt: '2026-11-23T07:21:05.185Z',
  entries: 31,
  bytes: 5_768_347,
  manifestSha256: 'ab'.repeat(32),
};

test('reads back the statement that it wrote, and no other text', () => {
  const text = encodeStatement(statement);
  assert.deepEqual(parseStatement(text), statement);
  for (let at = 0; at < text.length; at += 1) {
    const changed = `${text.slice(0, at)}~${text.slice(at + 1)}`;
    assert.throws(
      () => parseStatement(changed),
      (error) => isNectarError(error, 'BACKUP_FORMAT_INVALID'),
      `byte ${at}`,
    );
  }
  for (const other of ['', text.repeat(2), text.slice(0, -1), text.replace('entries 31', 'entries 031')])
    assert.throws(
      () => parseStatement(other),
      (error) => isNectarError(error, 'BACKUP_FORMAT_INVALID'),
    );
});

test('reads back the header, and says when a newer program wrote it', () => {
  const { nodeId, createdAt } = statement;
  const header = {
    format: 'nectar-byon-backup',
    version: 1,
    nodeId,
    createdAt,
    program: '0.1.0',
    homeFormat: 1,
  } as const;
  assert.deepEqual(parseBackupHeader(encodeBackupHeader(header)), header);
  assert.throws(
    () => parseBackupHeader(encodeBackupHeader({ ...header, version: 2 })),
    (error) => isNectarError(error, 'BACKUP_VERSION_NEWER') && error.data.found === 2,
  );
  for (const text of ['', '[]', 'null', '{', encodeBackupHeader({ ...header, nodeId: 'x' }), 'x'.repeat(5000)])
    assert.throws(
      () => parseBackupHeader(text),
      (error) => isNectarError(error, 'BACKUP_FORMAT_INVALID'),
    );
});

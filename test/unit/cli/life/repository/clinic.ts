import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readPublicIdentity } from '../../../../../appliance/config/index.ts';
import { createBackupKeys, createIdentitySigner, nodeEnvelopeCrypto } from '../../../../../appliance/keys/index.ts';
import { pinHome } from '../../../../../cli/life/backup/collect.ts';
import type { BackupAuthority } from '../../../../../cli/life/backup-authority.ts';
import { createFolderTarget } from '../../../../../cli/life/repository/folder-target.ts';
import { type RestoreSnapshot, restoreSnapshot } from '../../../../../cli/life/repository/restore-snapshot.ts';
import {
  type TakenSnapshot,
  type TakeSnapshot,
  takeSnapshot,
} from '../../../../../cli/life/repository/take-snapshot.ts';
import type { Target } from '../../../../../cli/life/repository/target.ts';
import { unlockKeys } from '../../../../../cli/life/unlock-keys.ts';
import { parseVerifierKey } from '../../../../../protocol/merkle/verifier-key.ts';
import { fakeTerminal } from '../../capture.ts';
import { makeHome, NOW, openHome, type StoredHome } from '../stored-home.ts';

const { signal } = new AbortController();
const { terminal } = fakeTerminal();
const context = { actor: { subject: 'tester' }, requestId: 'r' };

/** A home whose store and log run, and a folder for its repository. */
export class Clinic {
  readonly folder = mkdtempSync(join(tmpdir(), 'nectar-repository-'));
  readonly keyFile = join(this.folder, 'a.key');
  readonly repository = join(this.folder, 'repository');
  target: Target = createFolderTarget(this.repository);
  home = '';
  private runningHome: StoredHome | undefined;
  private known: TakenSnapshot | undefined;

  get running(): StoredHome {
    if (this.runningHome === undefined) throw new Error('not open');
    return this.runningHome;
  }

  async open(): Promise<void> {
    this.home = await makeHome(this.folder, 'a');
    this.runningHome = await openHome(this.home, this.keyFile);
  }

  /** After it was stopped. */
  async reopen(): Promise<void> {
    this.runningHome = await openHome(this.home, this.keyFile);
  }

  async close(): Promise<void> {
    await this.runningHome?.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  put(bytes: number): Promise<{ id: string; body: Buffer }> {
    const body = randomBytes(bytes);
    return this.running.put(body).then((id) => ({ id, body }));
  }

  destroy(id: string): Promise<unknown> {
    return this.running.store.shred(id as never, context);
  }

  /** The node's own keys, opened beside it. */
  async authority(onRecord?: number): Promise<BackupAuthority> {
    const keys = await unlockKeys({ home: this.home, terminal, keyFile: this.keyFile });
    const { nodeId } = readPublicIdentity(this.home);
    const signer = createIdentitySigner(keys, 'checkpoint');
    const own = createBackupKeys({ nodeId }, { keys, signer, crypto: nodeEnvelopeCrypto });
    return {
      sign: async (statement) => ({ signature: await own.sign(statement), auditLeaf: undefined }),
      repositoryKey: (repository) => own.repositoryKey(repository),
      generationOnRecord: async () => onRecord,
      close: () => keys.stop(),
    };
  }

  async backUp({ onRecord, ...change }: Partial<TakeSnapshot> & { onRecord?: number } = {}): Promise<TakenSnapshot> {
    const { nodeId, checkpointVkey } = readPublicIdentity(this.home);
    const authority = await this.authority(onRecord);
    try {
      this.known = await takeSnapshot({
        ...{ target: this.target, nodeId, homeFormat: 1, key: parseVerifierKey(checkpointVkey), authority },
        ...{ known: this.known, acceptOlder: false, acceptLoss: false, signal },
        spool: join(this.folder, `spool-${randomBytes(4).toString('hex')}`),
        pin: (spool) => pinHome({ home: this.home, spool, now: () => NOW }),
        now: () => NOW,
        onBytes: () => undefined,
        ...change,
      });
      return this.known;
    } finally {
      await authority.close();
    }
  }

  restore(name: string, change: Partial<RestoreSnapshot> = {}): ReturnType<typeof restoreSnapshot> {
    return restoreSnapshot({
      ...{ target: this.target, home: join(this.folder, name), check: false, keyFile: this.keyFile },
      ...{ generation: undefined, blocks: true, signal, now: () => NOW, onBytes: () => undefined },
      unlock: (folder) => unlockKeys({ home: folder, terminal, keyFile: this.keyFile }),
      ...change,
    });
  }

  openRestored(name: string): Promise<StoredHome> {
    return openHome(join(this.folder, name), this.keyFile);
  }
}

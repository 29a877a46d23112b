import { randomBytes as nodeRandomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isNectarError, NectarError } from '../../protocol/errors.ts';
import {
  findIdentityFile,
  type HomePaths,
  homePaths,
  type PublicIdentity,
  parseIdentity,
  readPublicIdentity,
} from '../config/index.ts';
import type { AuditKeysClient } from '../crossing/audit-keys/client.ts';
import type { Connection } from '../crossing/connection.ts';
import {
  type AuditIntroduction,
  auditIntroduction,
  requireSame,
  type StoreIntroduction,
  storeIntroductionRoutes,
} from '../crossing/introduction.ts';
import { adoptKeys, findAdoptable, holdsKeys, makeKeys, nodeEnvelopeCrypto } from '../keys/index.ts';
import { createShelf } from '../shelf/index.ts';
import { createMetrics } from '../telemetry/index.ts';
import { type RoleOptions, randomBytes, today, type WireDeps } from '../wiring.ts';
import { beforeWiring } from './before-wiring.ts';
import type { LogVolume } from './log-volume.ts';

const NODE_ID_BYTES = 16;

/** Who says that it belongs to a node already. */
interface Known {
  readonly where: string;
  readonly identity: PublicIdentity | null;
}

/**
 * Which node the store's keys are. On an empty volume they are adopted or made, but only once the audit and the rollup have said that their
 * volumes belong to no other node: an empty volume beside full ones is a lost one, and never a new node.
 */
export async function storeIdentity(options: RoleOptions, deps: Pick<WireDeps, 'log'>): Promise<PublicIdentity> {
  const { home } = options;
  if (options.crossings.carrier === 'sockets') return readPublicIdentity(home);
  const paths = homePaths(home);
  let ofRollup: { readonly known: PublicIdentity | null } | undefined;
  const serve = (state: () => NectarError) => {
    const introduction = {
      async introduce(from: { readonly known: PublicIdentity | null }): Promise<PublicIdentity> {
        ofRollup = from;
        throw notYet(state());
      },
      async get(): Promise<PublicIdentity> {
        throw notYet(state());
      },
    };
    return {
      store: storeIntroductionRoutes(introduction, 'gateway'),
      blocks: storeIntroductionRoutes(introduction, 'rollup'),
    };
  };
  const identity = await beforeWiring(
    {
      role: 'store',
      serve,
      attempt: (carrier) =>
        establish(options, deps, {
          paths,
          audit: auditIntroduction(carrier.connect('audit-keys')),
          rollup: () => ofRollup,
        }),
    },
    options,
    deps,
  );
  deps.log.info({ nodeId: identity.nodeId, peerId: identity.peerId }, 'node identity read');
  return identity;
}

interface Neighbours {
  readonly paths: HomePaths;
  readonly audit: AuditIntroduction;
  rollup(): { readonly known: PublicIdentity | null } | undefined;
}

/** One look at what is there, and the one step that follows from it. */
async function establish(
  options: RoleOptions,
  deps: Pick<WireDeps, 'log'>,
  { paths, audit, rollup }: Neighbours,
): Promise<PublicIdentity> {
  const { firstStart, config } = options;
  const configured: Known = { where: 'the configuration', identity: findIdentityFile(paths.publicIdentity) ?? null };
  const found = await findAdoptable(firstStart.adopt);
  const adoptable = found && { ...found, identity: parseIdentity(firstStart.adopt, found.publicText) };
  if (await holdsKeys(paths.keys)) {
    const own = findIdentityFile(paths.pinned.store) ?? configured.identity;
    if (own === null)
      throw new NectarError('NODE_IDENTITY_INVALID', { path: paths.keys, reason: 'public.json is missing' });
    agree([configured, { where: firstStart.adopt, identity: adoptable?.identity ?? null }], own);
    return own;
  }
  const fromRollup = rollup();
  if (fromRollup === undefined)
    throw new NectarError('NODE_NOT_READY', {
      service: 'rollup',
      reason: 'it has not said what its volume belongs to',
    });
  const known = [
    configured,
    { where: 'the volume of the audit', identity: (await audit.known()).known },
    { where: 'the volume of the rollup', identity: fromRollup.known },
  ];
  if (adoptable !== undefined) {
    agree(known, adoptable.identity);
    await adoptTokens(firstStart.adopt, paths.shelf);
    await adoptKeys(paths.keys, adoptable);
    deps.log.info({ nodeId: adoptable.identity.nodeId }, 'keys and identity were adopted');
    return adoptable.identity;
  }
  for (const { where, identity } of known) {
    if (identity !== null)
      throw new NectarError('NODE_VOLUME_LOST', { path: paths.keys, where, nodeId: identity.nodeId });
  }
  if (firstStart.mode !== 'make') throw new NectarError('NODE_IDENTITY_MISSING', { path: paths.keys });
  await makeKeys(
    {
      home: paths.keys,
      keyFile: config.keys.keyFile,
      nodeId: nodeRandomBytes(NODE_ID_BYTES).toString('hex'),
    },
    { crypto: nodeEnvelopeCrypto, now: today, randomBytes, log: deps.log, metrics: createMetrics },
  );
  const made = findIdentityFile(paths.pinned.store);
  if (made === undefined)
    throw new NectarError('NODE_IDENTITY_INVALID', { path: paths.keys, reason: 'public.json is missing' });
  deps.log.info({ nodeId: made.nodeId }, 'keys and identity were made');
  return made;
}

/** Afterwards: told to those who start later. A rollup whose volume belongs to another node is told so, and stays out. */
export function storeIntroductionOf(identity: PublicIdentity): StoreIntroduction {
  return {
    get: async () => identity,
    async introduce({ known }) {
      if (known !== null) requireSame('the volume of the rollup', known, identity);
      return identity;
    },
  };
}

/** The keys are handed to a log of this node alone, which learns with them whose it is, and to no empty one in its place. */
export function introducing(
  connection: Connection,
  identity: PublicIdentity,
  { audit, volume }: { readonly audit: Pick<AuditKeysClient, 'hand' | 'attend'>; readonly volume: LogVolume },
): Pick<AuditKeysClient, 'hand' | 'attend'> {
  const introduction = auditIntroduction(connection);
  return {
    attend: audit.attend,
    async hand(bodyKey, checkpointKey, signal) {
      try {
        await volume.require((await introduction.known()).known);
        await introduction.introduce(identity);
        await volume.begun();
      } catch (error) {
        for (const bytes of [bodyKey, checkpointKey]) bytes.fill(0);
        throw error;
      }
      await audit.hand(bodyKey, checkpointKey, signal);
    },
  };
}

function agree(known: readonly Known[], own: PublicIdentity): void {
  for (const { where, identity } of known) if (identity !== null) requireSame(where, identity, own);
}

/** The list of tokens that goes with the keys: with it the node can be unlocked by its owner before anything else. */
async function adoptTokens(from: string, folder: string): Promise<void> {
  const text = await readFile(join(from, 'tokens.json'), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new NectarError(
      'NODE_IDENTITY_INVALID',
      { path: from, reason: 'tokens.json cannot be read' },
      { cause: error },
    );
  });
  if (text === undefined) return;
  try {
    await createShelf({ folder }).write('tokens', text, 'none');
  } catch (error) {
    // There is one already: of this adoption before a crash, or newer.
    if (!isNectarError(error, 'NODE_SHELF_CHANGED')) throw error;
  }
}

/** What the store waits for, told to those who wait for the store. */
function notYet(state: NectarError): NectarError {
  return isNectarError(state, 'NODE_NOT_READY') || isNectarError(state, 'NODE_CONNECTION_LOST')
    ? new NectarError('NODE_NOT_READY', { service: 'store', reason: state.message })
    : state;
}

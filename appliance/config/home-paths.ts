import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** Processes that share the work of a node; each locks what it alone may write. */
export type LockedRole = 'all' | 'gateway' | 'store' | 'audit' | 'rollup' | 'sequencer';

/** Where everything of a node lies: in one folder (a home), or in one volume per owner below it (the containers). */
export interface HomePaths {
  readonly layout: 'home' | 'volumes';
  readonly config: string;
  readonly network: string;
  readonly publicIdentity: string;
  /** Which volumes were filled for this node (volume-marks.ts). */
  readonly volumeMarks: string;
  /** Where the roles of a cluster keep the public identity that they learned: each in its own volume. */
  readonly pinned: { readonly store: string; readonly audit: string; readonly rollup: string };
  /** Folder with keys.json and identity/*.sealed. */
  readonly keys: string;
  /** Folder that holds store/. */
  readonly storeParent: string;
  /** Backup repositories of other nodes. */
  readonly custody: string;
  /** What gateways that run more than once share. */
  readonly shelf: string;
  readonly audit: string;
  readonly rollupDatabase: string;
  /** A snapshot of the chain to begin with; gone once it is taken. */
  readonly rollupSnapshot: string;
  readonly anchor: string;
  /** What others' audit logs have shown this node, and its own cosigned checkpoint. */
  readonly witness: string;
  readonly certificate: string;
  readonly certificateKey: string;
  /** Of the gateway, for programs of the home's owner; a container has none to share it with. */
  readonly localSocket?: string;
  readonly tokens: string;
  /** Of the authorities that clients' certificates come from. */
  readonly clientAuthorities: {
    readonly certificate: string;
    readonly key: string;
    readonly site: string;
    readonly revocations: { readonly lists: string; readonly floors: string };
  };
  /** What the node remembers of hardening reports. */
  readonly hardening: string;
  /** What the node remembers of its backup repositories. */
  readonly backups: string;
  /** The places that a role locks while it runs. `all` locks those of every role. */
  locks(role: LockedRole): readonly string[];
  /** The folders whose format.json tells the format of the data that a role alone writes. */
  formats(role: LockedRole): readonly string[];
}

const SPLIT_ROLES = ['gateway', 'store', 'audit', 'rollup'] as const;

/** Resolves every path of a node; `config/config.json` instead of `config.json` tells the containers' layout. */
export function homePaths(home: string): HomePaths {
  const root = resolve(home);
  return existsSync(join(root, 'config', 'config.json')) ? volumePaths(root) : folderPaths(root);
}

function folderPaths(root: string): HomePaths {
  const at = (...parts: string[]): string => join(root, ...parts);
  const lock = (role: LockedRole): string =>
    at('run', role === 'all' || role === 'sequencer' ? 'lock' : `lock-${role}`);
  return {
    layout: 'home',
    config: at('config.json'),
    network: at('network.json'),
    publicIdentity: at('identity', 'public.json'),
    volumeMarks: at('volumes.json'),
    pinned: pinnedIn(root),
    keys: root,
    storeParent: root,
    custody: at('store', 'custody'),
    shelf: at('store', 'gateway'),
    audit: at('audit'),
    rollupDatabase: at('rollup', 'db'),
    rollupSnapshot: at('rollup', 'snapshot'),
    anchor: at('anchor'),
    witness: at('witness'),
    certificate: at('tls', 'server.crt'),
    certificateKey: at('tls', 'server.key'),
    localSocket: localSocketOf(root),
    tokens: at('tokens.json'),
    clientAuthorities: clientAuthorities(at('tls')),
    hardening: at('hardening.json'),
    backups: at('backups.json'),
    // One format of the whole home: of four processes on it, one changes it.
    formats: (role) => (role === 'all' || role === 'store' ? [root] : []),
    locks: (role) => [lock(role), ...(role === 'all' ? SPLIT_ROLES.map(lock) : [])],
  };
}

/** HOME/run/gateway.sock */
export function localSocketOf(home: string): string {
  return join(resolve(home), 'run', 'gateway.sock');
}

function clientAuthorities(folder: string): HomePaths['clientAuthorities'] {
  const at = (name: string): string => join(folder, name);
  return {
    certificate: at('clients-ca.crt'),
    key: at('clients-ca.key'),
    site: at('clients-site-ca.crt'),
    revocations: { lists: at('clients-site.crl'), floors: at('clients-site-crl.json') },
  };
}

function pinnedIn(root: string): HomePaths['pinned'] {
  const at = (volume: string): string => join(root, volume, 'public.json');
  return { store: at('keys'), audit: at('audit'), rollup: at('rollup') };
}

/** Each volume is mounted only into the role that owns it; `config` is everybody's, read-only. */
function volumePaths(root: string): HomePaths {
  const at = (...parts: string[]): string => join(root, ...parts);
  return {
    layout: 'volumes',
    config: at('config', 'config.json'),
    network: at('config', 'network.json'),
    publicIdentity: at('config', 'public.json'),
    volumeMarks: at('config', 'volumes.json'),
    pinned: pinnedIn(root),
    keys: at('keys'),
    storeParent: root,
    custody: at('store', 'custody'),
    shelf: at('store', 'gateway'),
    audit: at('audit'),
    rollupDatabase: at('rollup', 'db'),
    rollupSnapshot: at('rollup', 'snapshot'),
    anchor: at('rollup', 'anchor'),
    witness: at('rollup', 'witness'),
    certificate: at('gateway', 'tls', 'server.crt'),
    certificateKey: at('gateway', 'tls', 'server.key'),
    tokens: at('gateway', 'tokens.json'),
    clientAuthorities: clientAuthorities(at('gateway', 'tls')),
    hardening: at('gateway', 'hardening.json'),
    backups: at('gateway', 'backups.json'),
    formats: (role) => (role === 'all' ? SPLIT_ROLES : [role]).map((name) => at(name)),
    locks: (role) => (role === 'all' ? SPLIT_ROLES : [role]).map((name) => at(name, 'lock')),
  };
}

/** The folder of the crossings' sockets: NECTAR_SOCKETS, else HOME/run/sockets. */
export function socketsFolder(home: string, env: Readonly<Record<string, string | undefined>>): string {
  return resolve(env.NECTAR_SOCKETS || join(home, 'run', 'sockets'));
}

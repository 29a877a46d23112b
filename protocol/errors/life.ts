import { define } from './definition.ts';

/** Errors of a node's life: backup and restore, format of the home, upgrade, offline bundle. */
export const LIFE_ERRORS = {
  BACKUP_FORMAT_INVALID: define<{ problem: string }>({
    message: ({ problem }) => `the file is not a backup of a node: ${problem}`,
  }),
  BACKUP_VERSION_NEWER: define<{ found: number; known: number }>({
    message: ({ found, known }) => `the backup has format ${found}; this program reads up to ${known}`,
  }),
  BACKUP_TRUNCATED: define<{ bytes: number }>({
    message: ({ bytes }) => `the backup ends early, after ${bytes} bytes`,
  }),
  BACKUP_ALTERED: define<{ entry: string }>({
    message: ({ entry }) => `the backup was altered: ${entry} is not what the manifest says`,
  }),
  BACKUP_SIGNATURE_INVALID: define<{ nodeId: string }>({
    message: ({ nodeId }) => `the backup is not signed by the node ${nodeId} that it claims to be of`,
  }),
  BACKUP_SOURCE_UNSTABLE: define<{ what: string }>({
    message: ({ what }) => `${what} changed faster than it could be copied`,
  }),
  BACKUP_NODE_PRESENT: define<{ nodeId: string; engine: string }>({
    message: ({ nodeId, engine }) => `the engine at ${engine} already has containers or volumes of the node ${nodeId}`,
  }),
  ADOPT_NODE_ABSENT: define<{ engine: string }>({
    message: ({ engine }) => `the engine at ${engine} has no volumes of such a node`,
  }),
  ADOPT_NODE_AMBIGUOUS: define<{ engine: string; nodes: readonly string[] }>({
    message: ({ engine, nodes }) => `the engine at ${engine} has volumes of several nodes: ${nodes.join(', ')}`,
  }),
  BACKUP_OBJECT_MISSING: define<{ object: string }>({
    message: ({ object }) => `the repository has no ${object}`,
  }),
  BACKUP_LOG_REFUSED: define<{ place: string; problem: string }>({
    message: ({ place, problem }) => `the log in ${place} is not a newer one of this node: ${problem}`,
  }),
  BACKUP_TARGET_REFUSED: define<{ target: string; reason: string }>({
    message: ({ target, reason }) => `${target} cannot be used for backups: ${reason}`,
  }),
  BACKUP_PRUNE_DENIED: define<{ target: string }>({
    message: ({ target }) => `${target} keeps every snapshot: the token of this node may not prune there`,
  }),
  BACKUP_REPOSITORY_FOREIGN: define<{ target: string; nodeId: string }>({
    message: ({ target, nodeId }) => `${target} is the repository of the node ${nodeId}`,
  }),
  BACKUP_REPOSITORIES_DAMAGED: define<{ path: string; reason: string }>({
    message: ({ path, reason }) => `the list of backup places in ${path} cannot be used: ${reason}`,
  }),
  BACKUP_REPOSITORY_BEHIND: define<{ target: string; found: number; known: number }>({
    message: ({ target, found, known }) =>
      `${target} is older than this node knows it: generation ${found}, and ${known} was written`,
  }),
  BACKUP_REPOSITORY_FORKED: define<{ target: string; generation: number }>({
    message: ({ target, generation }) => `generation ${generation} in ${target} is not the one that this node wrote`,
  }),
  BACKUP_INDEX_SHRUNK: define<{ found: number; known: number }>({
    message: ({ found, known }) =>
      `the index has ${found} records, destroyed ones included; the last snapshot had ${known}`,
  }),
  BACKUP_SNAPSHOT_UNKNOWN: define<{ target: string; generation: number }>({
    message: ({ target, generation }) => `${target} has no snapshot ${generation}`,
  }),
  BACKUP_BUSY: define<{ target: string }>({
    message: ({ target }) => `another run writes to ${target}`,
  }),
  BACKUP_VERIFY_FAILED: define<{ target: string; faults: number; first: string }>({
    message: ({ target, faults, first }) =>
      `${target} does not restore: ${faults} ${faults === 1 ? 'fault' : 'faults'}, the first: ${first}`,
  }),
  BACKUP_KEY_REFUSED: define<Record<string, never>>({
    message: () => 'the key file never goes into a backup',
  }),
  HOME_FORMAT_NEWER: define<{ home: string; found: number; known: number }>({
    message: ({ home, found, known }) => `${home} has format ${found}; this program knows formats up to ${known}`,
  }),
  HOME_FORMAT_INVALID: define<{ path: string }>({
    message: ({ path }) => `${path} does not say which format the home has`,
  }),
  HOME_MIGRATION_FAILED: define<{ from: number; to: number; reason: string }>({
    message: ({ from, to, reason }) => `the home could not be brought from format ${from} to ${to}: ${reason}`,
  }),
  UPGRADE_NOT_CONTAINERS: define<{ home: string }>({
    message: ({ home }) => `the node in ${home} runs as a process of this installation, not in containers`,
  }),
  UPGRADE_REFUSED: define<{ problems: readonly string[] }>({
    message: ({ problems }) => `the node is not ready for an upgrade: ${problems.join('; ')}`,
  }),
  UPGRADE_ROLLED_BACK: define<{ to: string; reason: string }>({
    message: ({ to, reason }) => `the new version did not become ready (${reason}); the node runs ${to} again`,
  }),
  UPGRADE_ROLLBACK_ABSENT: define<{ home: string }>({
    message: ({ home }) => `${home} remembers no earlier version to go back to`,
  }),
  BUNDLE_INVALID: define<{ path: string; problem: string }>({
    message: ({ path, problem }) => `${path} is not an offline bundle: ${problem}`,
  }),
  BUNDLE_ALTERED: define<{ path: string; entry: string }>({
    message: ({ path, entry }) => `${path} was altered: ${entry} is not what its checksums say`,
  }),
  BUNDLE_PART_MISSING: define<{ part: string }>({
    message: ({ part }) => `there is no ${part} to put into the bundle`,
  }),
  RELEASE_SIGNATURE_MISSING: define<{ path: string; file: string }>({
    message: ({ path, file }) => `${path} is not signed: ${file} is missing`,
  }),
  RELEASE_SIGNATURE_INVALID: define<{ path: string; reason: string }>({
    message: ({ path, reason }) => `the signature of the release in ${path} is not good: ${reason}`,
  }),
  RELEASE_KEY_UNKNOWN: define<{ path: string; key: string }>({
    message: ({ path, key }) => `the release in ${path} is signed by the key ${key}, which this program does not trust`,
  }),
  RELEASE_KEY_INVALID: define<{ path: string; reason: string }>({
    message: ({ path, reason }) => `${path} is not the public key of releases: ${reason}`,
  }),
  RELEASE_ARTIFACT_FOREIGN: define<{ path: string; entry: string }>({
    message: ({ path, entry }) => `${entry} in ${path} is not the one that the release signed`,
  }),
  RELEASE_OLDER: define<{ path: string; release: string; running: string }>({
    message: ({ path, release, running }) => `${path} is of ${release}, older than ${running}, which runs here`,
  }),
};

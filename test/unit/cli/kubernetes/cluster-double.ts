import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * kubectl and helm as programs in a folder of their own: they answer from files, keep what they are given, and run what is to run in a
 * pod here, with a folder in place of the volumes.
 */
export interface ClusterDouble {
  readonly env: Readonly<Record<string, string>>;
  /** In place of /nectar of the pod that has the volumes of a role. */
  useVolumes(role: string, folder: string): void;
  /** What `get` of these kinds answers; nothing: an empty list. */
  answer(kinds: string, value: object): void;
  /** A program that fails from now on, when its arguments have this. */
  fail(words: string): void;
  /** Arguments of every call, a line each. */
  calls(): string[];
  /** What was given on stdin to `create` and `apply`, in order. */
  given(): string[];
}

const KUBECTL = `#!/bin/sh
dir=$(dirname "$0")
printf '%s\\n' "kubectl $(printf '%s ' "$@" | head -1)" >>"$dir/calls"
if [ -f "$dir/fail" ] && printf '%s ' "$@" | grep -q -- "$(cat "$dir/fail")"; then echo 'error: refused by the test' >&2; exit 1; fi
while [ $# -gt 0 ]; do case "$1" in -*) shift;; *) break;; esac; done
verb=$1; shift
case $verb in
  get)
    [ -f "$dir/get-$1" ] && { cat "$dir/get-$1"; exit; }
    case "$*" in
      *"-o json"*)
        if [ "$1" = pods ] && [ "$2" != -l ]; then echo '{"kind":"List","items":[{"metadata":{"name":"x"},"status":{"phase":"Running"}}]}'
        else echo '{"kind":"List","items":[]}'; fi;;
    esac;;
  create|apply) n=$(ls "$dir" | grep -c '^given-'); cat >"$dir/given-$(printf '%03d' "$n")";;
  api-versions) echo v1;;
  exec)
    role=\${2##*-}; shift 6
    src=$(printf '%s' "$1" | sed "s#/nectar#$(cat "$dir/volumes-$role")#g"); shift
    args=$(printf '%s ' "$@" | sed "s#/nectar#$(cat "$dir/volumes-$role")#g")
    exec "$NODE" --input-type=module -e "$src" $args;;
esac
`;

const HELM = `#!/bin/sh
dir=$(dirname "$0")
printf '%s\\n' "helm $(printf '%s ' "$@" | head -1)" >>"$dir/calls"
if [ -f "$dir/fail" ] && printf '%s ' "$@" | grep -q -- "$(cat "$dir/fail")"; then echo 'Error: refused by the test' >&2; exit 1; fi
if [ "$1" = template ]; then cat "$dir/rendered"; fi
`;

export function clusterDouble(folder: string): ClusterDouble {
  mkdirSync(folder, { recursive: true });
  const at = (name: string): string => join(folder, name);
  for (const [name, text] of [
    ['kubectl', KUBECTL],
    ['helm', HELM],
  ] as const) {
    writeFileSync(at(name), text);
    chmodSync(at(name), 0o755);
  }
  writeFileSync(at('calls'), '');
  writeFileSync(at('rendered'), SETS.map((set) => JSON.stringify(set)).join('\n---\n'));
  return {
    env: { PATH: `${folder}:/usr/bin:/bin`, NODE: process.execPath },
    useVolumes: (role, volumes) => writeFileSync(at(`volumes-${role}`), volumes),
    answer: (kinds, value) => writeFileSync(at(`get-${kinds}`), JSON.stringify(value)),
    fail: (words) => writeFileSync(at('fail'), words),
    calls: () => readFileSync(at('calls'), 'utf8').trim().split('\n'),
    given: () =>
      existsSync(folder)
        ? readdirSync(folder)
            .filter((name) => name.startsWith('given-'))
            .sort()
            .map((name) => readFileSync(at(name), 'utf8'))
        : [],
  };
}

/** As the chart makes them, with what matters to a pod that reads their volumes. */
export const SETS = ['store', 'audit', 'rollup'].map((role) => ({
  ...{ apiVersion: 'apps/v1', kind: 'StatefulSet' },
  metadata: { name: `clinic-nectar-byon-${role}`, labels: labels(role) },
  spec: {
    volumeClaimTemplates: [
      { metadata: { name: 'data', labels: labels(role) }, spec: { accessModes: ['ReadWriteOnce'], resources: {} } },
    ],
    template: {
      metadata: { labels: labels(role) },
      spec: {
        ...{ serviceAccountName: 'clinic', securityContext: { runAsUser: 64002, runAsNonRoot: true } },
        containers: [
          {
            ...{ name: role, image: `nectar-byon-${role}:1`, env: [{ name: 'NECTAR_CROSSINGS', value: 'tls' }] },
            securityContext: { readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
            volumeMounts: [
              { name: 'data', mountPath: `/nectar/${role}`, subPath: role },
              { name: 'root-key', mountPath: '/run/secrets/nectar' },
            ],
          },
        ],
        volumes: [{ name: 'root-key', secret: { secretName: 'root-key' } }],
      },
    },
  },
}));

function labels(role: string): Record<string, string> {
  return { 'app.kubernetes.io/instance': 'clinic', 'app.kubernetes.io/component': role };
}

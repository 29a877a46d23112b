import { resolve } from 'node:path';
import { Option } from 'commander';
import { collect } from './option-parsers.ts';
import type { ClusterChoice } from './provision/kubernetes/plan-kubernetes.ts';
import type { Terminal } from './terminal.ts';

/** What commands that make a node in Kubernetes are told of the cluster. */
export interface ClusterOptions {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly namespace: string;
  readonly release: string;
  readonly chart?: string;
  readonly values: readonly string[];
  readonly registry?: string;
  readonly storageClass?: string;
}

export function clusterOptions(): Option[] {
  return [
    new Option('--kubeconfig <file>', 'kubernetes: as in KUBECONFIG (default: as kubectl finds it)'),
    new Option('--context <name>', 'kubernetes: of that file (default: the current one)'),
    new Option('--namespace <name>', 'kubernetes: made where it is not there yet').default('nectar'),
    new Option('--release <name>', 'kubernetes: name of the release').default('nectar'),
    new Option('--chart <path>', 'kubernetes: folder, archive or oci:// address (default: that of this program)'),
    new Option('--values <file>', 'kubernetes: further values of the site; repeat for more')
      .argParser(collect)
      .default([], 'none'),
    new Option('--registry <prefix>', 'kubernetes: where the images are, such as registry.example/nectar'),
    new Option('--storage-class <name>', "kubernetes: of the volumes (default: the cluster's)"),
  ];
}

/** With every path made whole. */
export function clusterChoice(options: ClusterOptions, terminal: Terminal): ClusterChoice {
  const path = (name: string): string => resolve(terminal.workingFolder, name);
  const { kubeconfig, context, chart } = options;
  return {
    ...{ context, registry: options.registry, storageClass: options.storageClass },
    kubeconfig: kubeconfig === undefined ? terminal.env.KUBECONFIG || undefined : path(kubeconfig),
    namespace: options.namespace,
    release: options.release,
    chart: chart === undefined || chart.startsWith('oci://') ? chart : path(chart),
    values: options.values.map(path),
  };
}

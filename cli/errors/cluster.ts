import { EXIT } from '../../appliance/exit-code.ts';
import type { CLUSTER_ERRORS } from '../../protocol/errors/cluster.ts';
import type { Guidance } from './guidance.ts';

export const CLUSTER_GUIDANCE: Record<keyof typeof CLUSTER_ERRORS, Guidance> = {
  CLUSTER_TOOL_MISSING: {
    exit: EXIT.config,
    remedy: 'Install it, or put the folder where it lies into PATH. kubectl and helm are used as you have set them up.',
  },
  CLUSTER_CONTEXT_UNKNOWN: {
    exit: EXIT.config,
    remedy: 'Compare with `kubectl config get-contexts`; name another file with `--kubeconfig` or KUBECONFIG.',
  },
  CLUSTER_UNREACHABLE: {
    exit: EXIT.unreachable,
    remedy: 'Try `kubectl version` with the same context: network, VPN and credentials must let you reach it.',
  },
  CLUSTER_FORBIDDEN: {
    exit: EXIT.config,
    remedy: 'Have the administrator of the cluster give you what `nectar-byon init --target kubernetes --rbac` prints.',
  },
  CLUSTER_REFUSED: {
    exit: EXIT.config,
    remedy: 'The cluster gives its reason. Put that right and run the command again: it goes on where it stopped.',
  },
  CLUSTER_ANSWER_INVALID: {
    exit: EXIT.unreachable,
    remedy: 'Compare the versions of kubectl and of the cluster: they may differ by one minor version.',
  },
  CLUSTER_RELEASE_MISSING: {
    exit: EXIT.config,
    remedy: 'Compare with `helm list -n NAMESPACE`: the release may be installed under another name, or not yet.',
  },
  CLUSTER_RELEASE_PRESENT: {
    exit: EXIT.usage,
    remedy:
      'A restore needs a release of its own: name another one with `--release` or `--namespace`. Nothing was touched: the volumes of the old one may hold what no backup has.',
  },
  CLUSTER_POD_FAILED: {
    exit: EXIT.config,
    remedy: 'Look with `kubectl describe pod` and `nectar-byon logs`; what the others need is not touched.',
  },
  CLUSTER_VERB_UNAVAILABLE: {
    exit: EXIT.usage,
    remedy: 'docs/kubernetes-cli.md says how it is done in a cluster.',
  },
};

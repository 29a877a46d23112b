import { define } from './definition.ts';

/** Errors of commands that work on a node in Kubernetes, through the user's kubectl and helm. */
export const CLUSTER_ERRORS = {
  CLUSTER_TOOL_MISSING: define<{ tool: string }>({
    message: ({ tool }) => `there is no program ${tool} in PATH`,
  }),
  CLUSTER_CONTEXT_UNKNOWN: define<{ context: string; reason: string }>({
    message: ({ context, reason }) => `the context ${context || '(current)'} is not usable: ${reason}`,
  }),
  CLUSTER_UNREACHABLE: define<{ context: string; reason: string }>({
    message: ({ context, reason }) => `the cluster of the context ${context || '(current)'} does not answer: ${reason}`,
  }),
  CLUSTER_FORBIDDEN: define<{ doing: string; reason: string }>({
    message: ({ doing, reason }) => `the cluster does not let you do this (${doing}): ${reason}`,
  }),
  CLUSTER_REFUSED: define<{ doing: string; reason: string }>({
    message: ({ doing, reason }) => `${doing} did not succeed: ${reason}`,
  }),
  CLUSTER_ANSWER_INVALID: define<{ doing: string; problem: string }>({
    message: ({ doing, problem }) => `${doing} gave an answer that is not valid: ${problem}`,
  }),
  CLUSTER_RELEASE_MISSING: define<{ namespace: string; release: string }>({
    message: ({ namespace, release }) => `the namespace ${namespace} has no pod or set of the release ${release}`,
  }),
  CLUSTER_RELEASE_PRESENT: define<{ namespace: string; release: string; object: string }>({
    message: ({ namespace, release, object }) =>
      `the namespace ${namespace} has ${object} of a release ${release} already`,
  }),
  CLUSTER_POD_FAILED: define<{ pod: string; reason: string }>({
    message: ({ pod, reason }) => `the pod ${pod} does not start: ${reason}`,
  }),
  CLUSTER_VERB_UNAVAILABLE: define<{ home: string }>({
    message: ({ home }) => `the node of ${home} runs in Kubernetes, where this command is not available`,
  }),
};

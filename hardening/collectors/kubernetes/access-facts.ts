import type { Observation } from '../../fact-set.ts';
import { forEach, observe, unseen } from '../observe.ts';
import { type AccessRules, administratorsOf, type Grant, grantsOf, holdersOf, type Right } from './access-grants.ts';

const WRITES = ['create', 'update', 'patch'];
const REMOVES = ['delete', 'deletecollection'];
const CORE = [''];

/** What each fact asks of a rule. Port forwarding is left out: it reaches a listener, and no program. */
const RIGHTS = {
  'cluster.podEntrants': [
    // `get` is enough to open a stream to exec over a web socket.
    {
      groups: CORE,
      resources: ['pods/exec', 'pods/attach', 'pods/ephemeralcontainers'],
      verbs: [...WRITES, 'get'],
    },
    { groups: CORE, resources: ['pods', 'replicationcontrollers'], verbs: WRITES },
    { groups: ['apps'], resources: ['deployments', 'statefulsets', 'daemonsets', 'replicasets'], verbs: WRITES },
    { groups: ['batch'], resources: ['jobs', 'cronjobs'], verbs: WRITES },
  ],
  'cluster.secretReaders': [{ groups: CORE, resources: ['secrets'], verbs: ['get', 'list', 'watch'] }],
  'cluster.policyChangers': [
    { groups: ['networking.k8s.io'], resources: ['networkpolicies'], verbs: [...WRITES, ...REMOVES] },
  ],
  'cluster.rightsRaisers': [
    {
      groups: ['rbac.authorization.k8s.io'],
      resources: ['roles', 'clusterroles', 'rolebindings', 'clusterrolebindings'],
      verbs: ['bind', 'escalate'],
    },
    { groups: CORE, resources: ['users', 'groups', 'serviceaccounts'], verbs: ['impersonate'] },
  ],
  'cluster.tokenMakers': [{ groups: CORE, resources: ['serviceaccounts/token'], verbs: WRITES }],
  'cluster.nodeProxies': [{ groups: CORE, resources: ['nodes/proxy'], verbs: [...WRITES, 'get', ...REMOVES] }],
  'cluster.volumeMakers': [{ groups: CORE, resources: ['persistentvolumes'], verbs: WRITES }],
  'cluster.certificateApprovers': [
    { groups: ['certificates.k8s.io'], resources: ['certificatesigningrequests/approval'], verbs: ['update', 'patch'] },
  ],
  'cluster.webhookChangers': [
    {
      groups: ['admissionregistration.k8s.io'],
      resources: ['validatingwebhookconfigurations', 'mutatingwebhookconfigurations'],
      verbs: [...WRITES, ...REMOVES],
    },
  ],
} as const satisfies Record<string, readonly Right[]>;

type RightFact = keyof typeof RIGHTS;
const RIGHT_FACTS = Object.keys(RIGHTS) as RightFact[];
type AccessFact = RightFact | 'cluster.clusterAdmins' | 'cluster.anonymousGrants';

const ANONYMOUS = ['User system:anonymous', 'Group system:unauthenticated'];
/** What Kubernetes gives to everybody: health, version. */
const FOR_EVERYBODY = ['ClusterRole system:public-info-viewer'];

/** Who may do what that bears on the node; an error in place of the rules where they may not be read. */
export function accessFacts(access: AccessRules | Error): Record<AccessFact, Observation> {
  if (access instanceof Error)
    return forEach([...RIGHT_FACTS, 'cluster.clusterAdmins', 'cluster.anonymousGrants'] as const, unseen(access));
  const grants = (): Grant[] => grantsOf(access);
  const rights = RIGHT_FACTS.map((fact) => [fact, observe(() => holdersOf(grants(), RIGHTS[fact]))] as const);
  return {
    ...(Object.fromEntries(rights) as Record<RightFact, Observation>),
    'cluster.clusterAdmins': observe(() => administratorsOf(grants())),
    'cluster.anonymousGrants': observe(() => anonymousRoles(access)),
  };
}

function anonymousRoles({ roleBindings, clusterRoleBindings }: AccessRules): string[] {
  return [...roleBindings, ...clusterRoleBindings].flatMap(({ document }) => {
    const reference = document.in('roleRef');
    const role = `${reference.in('kind').text()} ${reference.in('name').text()}`;
    const isAnonymous = document
      .in('subjects')
      .items()
      .some((subject) => ANONYMOUS.includes(`${subject.in('kind').text()} ${subject.in('name').text()}`));
    return isAnonymous && !FOR_EVERYBODY.includes(role) ? [role] : [];
  });
}

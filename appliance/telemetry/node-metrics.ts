import { type MetricFamily, renderFamilies } from './metric-families.ts';

const UP = 'nectar_role_up';
const ROLE = 'role';

/** Where the metrics of one role come from: this very process, or a call to another one, which it bounds in size and time. */
export interface RoleMetrics {
  readonly role: string;
  read(): Promise<readonly MetricFamily[]>;
}

/** The metrics of the whole node, for whoever watches it. */
export interface NodeMetrics {
  /** Of the HTTP answer. */
  readonly contentType: string;
  /** Never throws: a role that does not answer is `nectar_role_up 0`, which is what a watcher must learn. */
  text(): Promise<string>;
}

/**
 * Joins the metrics of the roles of a node, each labelled by its role. All samples of a name stand together, as the format wants them,
 * and what a role says of itself cannot be taken for another's: the label is ours. Askers at the same time share one answer.
 */
export function createNodeMetrics(roles: readonly RoleMetrics[]): NodeMetrics {
  let running: Promise<string> | undefined;
  return {
    contentType: 'text/plain; version=0.0.4; charset=utf-8',
    text() {
      running ??= collect(roles).finally(() => {
        running = undefined;
      });
      return running;
    },
  };
}

async function collect(roles: readonly RoleMetrics[]): Promise<string> {
  const read = await Promise.allSettled(roles.map((role) => role.read()));
  const joined = new Map<string, MetricFamily>();
  const up: MetricFamily = {
    name: UP,
    help: 'Whether the role told its metrics in time.',
    type: 'gauge',
    samples: roles.map(({ role }, index) => ({
      name: UP,
      labels: [{ name: ROLE, value: role }],
      value: read[index]?.status === 'fulfilled' ? '1' : '0',
    })),
  };
  joined.set(UP, up);
  for (const [index, result] of read.entries()) {
    const role = roles[index]?.role ?? '';
    for (const family of result.status === 'fulfilled' ? result.value : []) join(joined, family, role);
  }
  return renderFamilies([...joined.values()]);
}

function join(joined: Map<string, MetricFamily>, family: MetricFamily, role: string): void {
  const known = joined.get(family.name);
  // `up` is nobody's to tell of himself, and a name has one type.
  if (family.name === UP || (known !== undefined && known.type !== family.type)) return;
  const samples = family.samples.flatMap((sample) =>
    belongs(sample.name, family.name)
      ? [
          {
            ...sample,
            labels: [{ name: ROLE, value: role }, ...sample.labels.filter(({ name }) => name !== ROLE)],
          },
        ]
      : [],
  );
  joined.set(family.name, { ...(known ?? family), samples: [...(known?.samples ?? []), ...samples] });
}

/** A histogram's and a summary's own suffixes; any other name would smuggle a sample into another family. */
function belongs(sample: string, family: string): boolean {
  return ['', '_bucket', '_sum', '_count'].some((suffix) => sample === family + suffix);
}

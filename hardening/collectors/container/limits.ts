import type { Observation } from '../../fact-set.ts';
import type { Document } from '../document.ts';
import { observe } from '../observe.ts';
import { type Inspected, ownDocument } from './inspected.ts';

const NANOS_PER_MILLI = 1_000_000;
/** The kernel's own, where a quota names none. */
const CPU_PERIOD_US = 100_000;
const LOG_FILES: Readonly<Record<string, number>> = { 'json-file': 1, 'k8s-file': 1, local: 5 };

type Limit = `container.${
  | 'memoryLimitBytes'
  | 'swapBytes'
  | 'memoryReservationBytes'
  | 'cpuMillis'
  | 'cpuShares'
  | 'pidsLimit'
  | 'openFilesLimit'
  | 'oomKillDisabled'
  | 'restartPolicy'
  | 'restartMaxRetries'
  | 'logDriver'
  | 'logMaxBytes'}`;

/** How much of its machine a container may take. */
export function limitFacts(container: Inspected): Record<Limit, Observation> {
  const host = container.document.in('HostConfig');
  return {
    'container.memoryLimitBytes': observe(() => host.in('Memory').integer()),
    'container.swapBytes': observe(() => swapBytes(host.in('Memory').integer(), host.in('MemorySwap').integer())),
    'container.memoryReservationBytes': observe(() => host.in('MemoryReservation').integerOr(0)),
    'container.cpuMillis': observe(() => cpuMillis(host)),
    'container.cpuShares': observe(() => host.in('CpuShares').integerOr(0)),
    'container.pidsLimit': observe(() => Math.max(0, host.in('PidsLimit').integerOr(0))),
    'container.openFilesLimit': observe(() => openFiles(host)),
    'container.oomKillDisabled': observe(() => host.in('OomKillDisable').flagOr(false)),
    'container.restartPolicy': observe(() => host.in('RestartPolicy', 'Name').textOr('') || 'no'),
    'container.restartMaxRetries': observe(() => host.in('RestartPolicy', 'MaximumRetryCount').integerOr(0)),
    'container.logDriver': observe(() => host.in('LogConfig', 'Type').text()),
    'container.logMaxBytes': logMaxBytes(container),
  };
}

/** The engine counts memory and swap together; 0 means as much swap as memory, where there is a limit. */
function swapBytes(memory: number, both: number): number {
  if (both < 0 || (both === 0 && memory === 0)) return -1;
  return both === 0 ? memory : Math.max(0, both - memory);
}

function cpuMillis(host: Document): number {
  const nanos = host.in('NanoCpus').integerOr(0);
  if (nanos > 0) return Math.round(nanos / NANOS_PER_MILLI);
  const quota = host.in('CpuQuota').integerOr(0);
  return quota <= 0 ? 0 : Math.round((1000 * quota) / (host.in('CpuPeriod').integerOr(0) || CPU_PERIOD_US));
}

function openFiles(host: Document): number {
  const limit = host
    .in('Ulimits')
    .items()
    .find((item) => /^(RLIMIT_)?NOFILE$/i.test(item.in('Name').text()));
  return limit?.in('Hard').integer() ?? 0;
}

function logMaxBytes(container: Inspected): Observation {
  const log = container.document.in('HostConfig', 'LogConfig');
  const type = log.in('Type').textOr('');
  if (type === 'none') return { absent: 'its log goes nowhere' };
  if (LOG_FILES[type] === undefined) return { error: `the bound is that of the log driver ${type || '(unnamed)'}` };
  return observe(() => {
    // Podman has a field of its own.
    const size =
      container.engine === 'docker'
        ? log.in('Config', 'max-size').textOr('') || (type === 'local' ? '20m' : '')
        : ownDocument(container).in('HostConfig', 'LogConfig', 'Size').textOr('');
    const files = Number(log.in('Config', 'max-file').textOr('') || LOG_FILES[type]);
    if (!Number.isSafeInteger(files)) throw new Error('max-file is no number');
    return bytesOf(size) * files;
  });
}

/** `10m` as Docker reads it: powers of 1024. Empty or -1 for no bound. */
function bytesOf(text: string): number {
  if (text === '' || text === '-1' || text === '0' || text === '0B') return 0;
  const [, digits = '', unit = ''] = /^(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?$/i.exec(text) ?? [];
  if (digits === '') throw new Error(`${text} is no size`);
  return Math.round(Number(digits) * 1024 ** ' kmgt'.indexOf(unit.toLowerCase() || ' '));
}

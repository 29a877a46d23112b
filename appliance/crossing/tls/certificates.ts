import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { NectarError } from '../../../protocol/errors.ts';
import type { Service } from '../../service.ts';
import type { Logger } from '../../telemetry/index.ts';
import { type CrossingPair, digestOf, PairError, type PairFiles, type PairOwner, parsePair } from './pair.ts';

/** A kubelet brings a renewed Secret within a minute or two. */
const POLL_MS = 5_000;
const MAX_FILE_BYTES = 128 * 1024;
/** Three files are not replaced in one moment, whatever replaces them. */
const READ_ATTEMPTS = 4;
/**
 * A kubelet brings a Secret within 60 to 90 s, to each pod at another time: for so long a role may meet another one that does not know
 * the new authority yet.
 */
const SPREAD_MS = 120_000;

export interface CertificatesOptions extends PairOwner {
  /** Holds tls.crt, tls.key and ca.crt. */
  readonly folder: string;
}

export interface CertificatesDeps {
  readonly log: Logger;
  readonly now: () => number;
}

/** The certificate of this role at its crossings: read when the service starts, and again whenever its files change. */
export interface Certificates extends Service {
  /** @throws NectarError NODE_CROSSING_CERTIFICATE when there is none, or it has expired */
  current(): CrossingPair;
  /** The same; undefined when there is none. */
  find(): CrossingPair | undefined;
  /** When the newest one ends or ended; undefined when there was none. */
  notAfter(): number | undefined;
  /** For how long the newest one is good in all, in milliseconds; undefined when there was none. */
  lifetime(): number | undefined;
  /** What is wrong with the files as they are now, even while an older pair is good. */
  problem(): string | undefined;
  /** Reads the files now; what is no pair leaves the one before in use. */
  reload(): Promise<void>;
  onChange(listener: () => void): void;
}

export function createCertificates(options: CertificatesOptions, { log, now }: CertificatesDeps): Certificates {
  const { folder } = options;
  const listeners: (() => void)[] = [];
  let pair: CrossingPair | undefined;
  /** What `pair` was read from. */
  let shown: PairFiles | undefined;
  /** By an authority that others may not know yet: read, and not shown before `at`. */
  let waiting: { readonly files: PairFiles; readonly at: number } | undefined;
  let digest: string | undefined;
  let problem: string | undefined = 'has not been read yet';
  let timer: NodeJS.Timeout | undefined;
  let reading: Promise<void> | undefined;

  async function read(): Promise<void> {
    try {
      const files = await readPairFiles(folder);
      const found = digestOf(files);
      if (found === digest && problem === undefined) return showWaiting();
      const next = parsePair(files, options, now());
      const meanwhile = shownMeanwhile(files);
      waiting = meanwhile && { files, at: now() + Math.min(SPREAD_MS, meanwhile.pair.notAfter - now() - 2 * POLL_MS) };
      digest = found;
      problem = undefined;
      log.info({ notAfter: new Date(next.notAfter).toISOString() }, 'crossing certificate read');
      show(meanwhile?.files ?? files, meanwhile?.pair ?? next);
    } catch (error) {
      const { message } = error instanceof PairError ? error : new PairError('cannot be read');
      if (message !== problem) log.error({ folder, problem: message }, 'the crossing certificate cannot be used');
      problem = message;
    }
  }

  function show(files: PairFiles, read: CrossingPair): void {
    shown = files;
    pair = read;
    for (const listener of listeners) listener();
  }

  function showWaiting(): void {
    if (waiting === undefined || waiting.at > now()) return;
    const { files } = waiting;
    waiting = undefined;
    show(files, parsePair(files, options, now()));
    log.info({}, 'the certificate of the new crossing authority is shown');
  }

  /**
   * Where the new certificate is by an authority that the old trust does not have: the old one with the new trust, which takes both. Others
   * that have not read theirs yet believe nothing else.
   */
  function shownMeanwhile(files: PairFiles): { readonly files: PairFiles; readonly pair: CrossingPair } | undefined {
    if (shown === undefined) return undefined;
    const old = { ...shown, 'ca.crt': files['ca.crt'] };
    const isKnown = findPair({ ...files, 'ca.crt': shown['ca.crt'] }) !== undefined;
    const kept = isKnown ? undefined : findPair(old);
    return kept && { files: old, pair: kept };
  }

  function findPair(files: PairFiles): CrossingPair | undefined {
    try {
      return parsePair(files, options, now());
    } catch (error) {
      if (error instanceof PairError) return undefined;
      throw error;
    }
  }

  function reload(): Promise<void> {
    reading ??= read().finally(() => {
      reading = undefined;
    });
    return reading;
  }

  function expired(): string | undefined {
    if (pair === undefined || pair.notAfter > now()) return undefined;
    const since = `expired at ${new Date(pair.notAfter).toISOString()}`;
    return problem === undefined || problem === since ? since : `${since}, and the one in its files ${problem}`;
  }

  const whyNot = (): string | undefined => (pair === undefined ? problem : expired());

  return {
    name: 'crossing certificate',
    async start() {
      await reload();
      timer = setInterval(() => void reload(), POLL_MS).unref();
    },
    async stop() {
      clearInterval(timer);
      await reading;
    },
    readiness() {
      const reason = whyNot();
      return reason === undefined ? { ready: true } : { ready: false, reason: `the crossing certificate ${reason}` };
    },
    current() {
      const reason = whyNot();
      if (pair === undefined || reason !== undefined)
        throw new NectarError('NODE_CROSSING_CERTIFICATE', { folder, reason: reason ?? 'is absent' });
      return pair;
    },
    find: () => (expired() === undefined ? pair : undefined),
    notAfter: () => pair?.notAfter,
    lifetime: () => pair && pair.notAfter - pair.notBefore,
    problem: () => problem,
    reload,
    onChange(listener) {
      listeners.push(listener);
    },
  };
}

/** The files of one moment: read until they are the same twice. @throws PairError */
async function readPairFiles(folder: string): Promise<PairFiles> {
  let before = await readOnce(folder);
  for (let attempt = 1; attempt < READ_ATTEMPTS; attempt++) {
    const again = await readOnce(folder);
    if (digestOf(before) === digestOf(again)) return again;
    before = again;
  }
  throw new PairError('is being replaced');
}

async function readOnce(folder: string): Promise<PairFiles> {
  const read = async (name: keyof PairFiles): Promise<Buffer> => {
    const bytes = await readFile(join(folder, name)).catch((error: NodeJS.ErrnoException) => {
      throw new PairError(`cannot be read from ${name} (${error.code ?? 'unknown'})`);
    });
    if (bytes.length > MAX_FILE_BYTES) throw new PairError(`is longer than ${MAX_FILE_BYTES} bytes in ${name}`);
    return bytes;
  };
  return { 'tls.crt': await read('tls.crt'), 'tls.key': await read('tls.key'), 'ca.crt': await read('ca.crt') };
}

import { createHash } from 'node:crypto';
import type { Server } from 'node:tls';
import type { Logger } from '../telemetry/index.ts';
import type { HostNames } from './host-names.ts';
import { secureContextOf } from './https-server.ts';
import { type CheckedSitePair, checkSitePair, findSitePair, type SitePair, sitePaths } from './site-certificate.ts';

export interface ShownCertificates {
  /** Takes the site's pair into use where it has changed, or gives its names back to the node's own. */
  look(own: OwnCertificate): Promise<void>;
}

interface OwnCertificate extends SitePair {
  /** Authorities of clients. */
  readonly authorities: readonly string[];
}

export interface ShowingDeps {
  readonly server: Pick<Server, 'addContext'>;
  readonly hosts: HostNames;
  readonly log: Logger;
  readonly now: () => number;
}

/** Which certificate a client sees by which name. A pair that is not good is said once, and shown to nobody. */
export function showCertificates(
  ownCertificatePath: string,
  { server, hosts, log, now }: ShowingDeps,
): ShownCertificates {
  /** What is shown by each name that the site's certificate has, or had: a server forgets none. */
  const byName = new Map<string, string>();
  let good: CheckedSitePair | undefined;
  let refused = '';

  const show = (names: readonly string[], { cert, key }: SitePair, authorities: readonly string[]): void => {
    const digest = digestOf([cert, key, ...authorities]);
    for (const name of names) {
      if (byName.get(name) === digest) continue;
      server.addContext(name, secureContextOf({ cert, key, authorities }));
      byName.set(name, digest);
    }
  };

  /** A pair that was good stays in use over its end: who asks by its names then is told that it ended. */
  const check = (pair: SitePair): CheckedSitePair | undefined => {
    if (good?.cert.equals(pair.cert) && good.key.equals(pair.key)) return good;
    try {
      const checked = checkSitePair(pair, now());
      log.info({ names: checked.names }, "the site's certificate is in use");
      refused = '';
      return checked;
    } catch (error) {
      const digest = digestOf([pair.cert, pair.key]);
      if (digest !== refused) log.error({ err: error }, "the site's certificate is not used");
      refused = digest;
      return undefined;
    }
  };

  return {
    async look({ authorities, ...own }) {
      const pair = await findSitePair(sitePaths(ownCertificatePath));
      good = pair === undefined ? undefined : check(pair);
      const names = good?.names ?? [];
      if (good !== undefined) show(names, good, authorities);
      const others = [...byName.keys()].filter((name) => !names.includes(name));
      show(others, own, authorities);
      hosts.useSite(good?.cert);
    },
  };
}

function digestOf(parts: readonly (Buffer | string)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part).update('\0');
  return hash.digest('hex');
}

import { authorityFiles, type ClientAuthorityTexts, siteFile } from './client-authorities.ts';
import { MAX_LISTS_CHARS } from './client-schemas.ts';
import { MAX_NOTES_BYTES } from './kept-notes.ts';
import { fileText, type KeptText } from './kept-text.ts';
import { MAX_FLOORS_BYTES, type RevocationTexts } from './revocation-files.ts';
import type { SharedTexts } from './shared-texts.ts';

/** Files of a gateway that is the only one of its node. */
export interface GatewayPaths {
  /** Where the notes of hardening reports are kept. */
  readonly hardeningPath: string;
  /** Where the notes of backups are kept. */
  readonly backupsPath: string;
  /** Of the authorities that clients' certificates come from. */
  readonly clientPaths: {
    /** Of the node's own authority for clients. */
    readonly certificate: string;
    readonly key: string;
    /** What the site added, in one file. */
    readonly site: string;
    /** What the authorities of the site took back, and what that may not go back behind. */
    readonly revocations: { readonly lists: string; readonly floors: string };
  };
}

/** What a gateway remembers, beside its tokens. */
export interface GatewayTexts {
  readonly hardening: KeptText;
  readonly backups: KeptText;
  readonly authorities: ClientAuthorityTexts;
  readonly revocations: RevocationTexts;
}

export function gatewayTexts(paths: GatewayPaths, shared: SharedTexts | undefined): GatewayTexts {
  if (shared !== undefined)
    return {
      hardening: shared.text('hardening'),
      backups: shared.text('backups'),
      authorities: { own: shared.text('clients-authority'), site: shared.text('clients-site') },
      revocations: { lists: shared.text('clients-lists'), floors: shared.text('clients-floors') },
    };
  const { hardeningPath, backupsPath, clientPaths } = paths;
  return {
    hardening: fileText(hardeningPath, { maxBytes: MAX_NOTES_BYTES }),
    backups: fileText(backupsPath, { maxBytes: MAX_NOTES_BYTES }),
    authorities: { own: authorityFiles(clientPaths), site: siteFile(clientPaths.site) },
    revocations: revocationFiles(clientPaths.revocations),
  };
}

export function revocationFiles({ lists, floors }: GatewayPaths['clientPaths']['revocations']): RevocationTexts {
  return {
    lists: fileText(lists, { maxBytes: MAX_LISTS_CHARS }),
    floors: fileText(floors, { maxBytes: MAX_FLOORS_BYTES }),
  };
}

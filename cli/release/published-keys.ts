/**
 * The public keys of this project's releases, each as the text of its key file; SECURITY.md has their fingerprints. It is empty until
 * the first release: no program takes a release on its own then, only with `--release-key`.
 *
 * Rotation (docs/design/0026): the new key comes here one release before it signs; the old one leaves with the release after that.
 */
export const PUBLISHED_KEYS: readonly string[] = [];

/**
 * What a secret looks like. Self-contained, no import and no constant outside: the collector of processes hands its text to the node
 * binary of a container (collectors/read-process.ts), so that a value is judged where it lies and never leaves.
 * Meant for names and values of environment variables, arguments, labels and config entries. A path is no secret: it says where one
 * is, as house rules want it.
 */
export function looksLikeSecret(name: string, value: string): boolean {
  const text = value.trim();
  const isNothing = text === '' || /^(true|false|yes|no|on|off|none|null|\d{1,6})$/i.test(text);
  const isPlace = /^(\.{0,2}\/|~\/|[A-Za-z]:\\)[^\s]*$/.test(text) && !/^\/[A-Za-z0-9+/]{39,}={0,2}$/.test(text);
  if (isNothing || isPlace) return false;

  const words = name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase();
  const pointsElsewhere =
    /(^|[_.-])(FILE|PATH|DIR|FOLDER|URL|NAME|ID|TTL|TYPE|ALGORITHM|LENGTH|SIZE|HASH|DIGEST)$/.test(words);
  const isNamed =
    /(^|[_.-])(PASSWORD|PASSWD|PASSPHRASE|PASS|PWD|SECRETS?|TOKENS?|CREDENTIALS?|MNEMONIC|SEED|PRIVKEY|APIKEY|AUTH)([_.-]|\d|$)/.test(
      words,
    ) ||
    /(^|[_.-])(PRIVATE|API|ACCESS|SECRET|SIGNING|ENCRYPTION|MASTER|ROOT|ACCOUNT|OPERATOR|DEPLOYER)[_.-]?KEY([_.-]|\d|$)/.test(
      words,
    );
  if (isNamed && !pointsElsewhere && words !== 'PWD' && words !== 'OLDPWD') return true;

  if (/-----BEGIN [A-Z0-9 ]*PRIVATE KEY( BLOCK)?-----/.test(text)) return true;
  // A JWT; a token of GitHub, Slack, GitLab or npm; an access key of AWS; credentials in a URL.
  if (/\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{16,}/.test(text)) return true;
  if (/\b(ghp|gho|ghs|github_pat|xox[abprs]|glpat|npm|sk_live|rk_live)[_-][A-Za-z0-9_-]{16,}/.test(text)) return true;
  if (/\b(AKIA|ASIA)[A-Z2-7]{16}\b/.test(text)) return true;
  if (/\b[a-z][a-z0-9+.-]*:\/\/[^/\s:@]*:[^/\s:@]+@/i.test(text)) return true;
  // A raw key in hex, unless something says that it is a digest.
  if (/^0x[0-9a-f]{64}$/i.test(text)) return !/(HASH|DIGEST|SHA|ROOT|GENESIS|TX|BLOCK)/.test(words);
  // Digests, addresses and peer ids are long and random too, and public.
  if (/^(0x)?[0-9a-f]+$/i.test(text) || /^(sha\d+[:-]|12D3KooW|16Uiu2|Qm[1-9A-HJ-NP-Za-km-z]{44}$)/.test(text))
    return false;

  // What chance wrote: long enough, of one alphabet, letters of both cases and digits, and no character much more often than others.
  const isPlain = /^[A-Za-z0-9+/_-]{32,}={0,2}$/.test(text) && text.split('/').length <= 4;
  const candidate = isPlain ? text.replace(/=+$/, '') : '';
  if (candidate === '' || !/[a-z]/.test(candidate) || !/[A-Z]/.test(candidate) || !/[0-9]/.test(candidate))
    return false;
  const counts = new Map<string, number>();
  for (const character of candidate) counts.set(character, (counts.get(character) ?? 0) + 1);
  let entropyBits = 0;
  for (const count of counts.values()) entropyBits -= (count / candidate.length) * Math.log2(count / candidate.length);
  return entropyBits >= 4;
}

/** Whether a command line holds a secret: `--token VALUE`, `--token=VALUE`, or a bare one. Self-contained but for its judge. */
export function secretInArguments(args: readonly string[], judge: (name: string, value: string) => boolean): boolean {
  return args.some((arg, index) => {
    const [, option, given] = /^--?([A-Za-z][\w.-]*)(?:=(.*))?$/s.exec(arg) ?? [];
    if (option !== undefined && given !== undefined) return judge(option, given);
    const before = /^--?([A-Za-z][\w.-]*)$/.exec(args[index - 1] ?? '')?.[1] ?? '';
    return option === undefined && judge(before, arg);
  });
}

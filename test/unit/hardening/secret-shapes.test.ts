import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { looksLikeSecret, secretInArguments } from '../../../hardening/secret-shapes.ts';

const { privateKey } = generateKeyPairSync('ed25519');
const digest = createHash('sha256').update('x').digest('hex');

const SECRETS: readonly (readonly [string, string])[] = [
  ['DB_PASSWORD', 'hunter2!'],
  ['dbPassword', 'hunter2!'],
  ['PASSPHRASE', 'correct horse'],
  ['GITHUB_TOKEN', 'whatever'],
  ['CLIENT_SECRET', 'abc'],
  ['NECTAR_PRIVATE_KEY', digest],
  ['STRIPE_API_KEY', 'abcdef'],
  ['SECRET_KEY_BASE', 'abcdef'],
  ['NOTE', privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()],
  ['X', 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbmEifQ.c2lnbmF0dXJlLXNpZ25hdHVyZQ'],
  ['X', `0x${randomBytes(32).toString('hex')}`],
  ['AWS_ACCESS_KEY_ID', 'AKIAIOSFODNN7EXAMPLE'],
  ['X', 'ghp_0123456789abcdefghijABCDEFGHIJ012345'],
  ['DATABASE_URL', 'postgres://clinic:hunter2@db/records'],
  ['X', 'kJ8dM2qLx0Zr7Vt5Yb3Nw9Hc1Pf6Gs4A'],
  ['X', '9Zt1mQ0p+fJ3Vb7/Kc2wEx8LrT5sUyHgNdAoIiMvB6Q='],
];

const NO_SECRETS: readonly (readonly [string, string])[] = [
  ['PATH', '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin'],
  ['NODE_VERSION', '24.21.0'],
  ['NODE_ENV', 'production'],
  ['PWD', '/nectar'],
  ['HOSTNAME', 'gateway'],
  ['SSH_AUTH_SOCK', '/tmp/ssh-XXXXXXabcdef/agent.1234'],
  ['ROOT_KEY', '/run/secrets/root-key'],
  ['DB_PASSWORD_FILE', '/run/secrets/db'],
  ['NECTAR_SOCKETS', '/run/nectar'],
  ['TOKEN_TTL', '3600'],
  ['ENABLE_TOKENS', 'true'],
  ['DB_PASSWORD', ''],
  ['IMAGE', `sha256:${digest}`],
  ['INTEGRITY', 'sha512-9Zt1mQ0p+fJ3Vb7/Kc2wEx8LrT5sUyHgNdAoIiMvB6Q9Zt1mQ0p+fJ3Vb7/Kc2wEx8LrT5sUyHgNdAoIiMvB6Q=='],
  ['org.nectar-byon.spec', digest],
  ['GPG_KEY', 'A035C8C19219BA821ECEA86B64E628F8D684696D'],
  ['GENESIS_HASH', `0x${digest}`],
  ['REGISTRY', '0x5FbDB2315678afecb367f032d93F642f64180aa3'],
  ['PEER', '12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp'],
  ['L1', 'https://ethereum-rpc.example.org/v1'],
  ['MANPATH', '/opt/a/very/long/path/Without/Dots9/That/Goes/On/And/On/For/Long'],
  ['CIPHERS', 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256'],
  ['TITLE', 'Nectar BYON, role gateway: the HTTPS API of its owner'],
];

test('sees what is named as a secret, and what is shaped as one', () => {
  for (const [name, value] of SECRETS) assert.equal(looksLikeSecret(name, value), true, `${name}=${value}`);
});

test('takes no path, version, digest, address or flag for a secret', () => {
  for (const [name, value] of NO_SECRETS) assert.equal(looksLikeSecret(name, value), false, `${name}=${value}`);
});

test('sees a random key in base64 whatever it is called', () => {
  for (let round = 0; round < 200; round += 1) {
    const key = Buffer.from(createHash('sha512').update(String(round)).digest().subarray(0, 48)).toString('base64');
    // One in some hundred has as many slashes as a path.
    if (key.split('/').length > 4) continue;
    assert.equal(looksLikeSecret('SETTING', key), true, key);
  }
});

test('judges arguments by the option before them', () => {
  assert.equal(secretInArguments(['run', 'store', '--home', '/nectar'], looksLikeSecret), false);
  assert.equal(secretInArguments(['run', '--password', 'hunter2!'], looksLikeSecret), true);
  assert.equal(secretInArguments(['run', '--password=hunter2!'], looksLikeSecret), true);
  assert.equal(secretInArguments(['--password-file', '/run/secrets/p'], looksLikeSecret), false);
  assert.equal(secretInArguments([`0x${'a1'.repeat(32)}`], looksLikeSecret), true);
});

test('stands alone: its text works in a program that has nothing else', () => {
  const rebuilt = new Function(`return (${looksLikeSecret.toString()})`)() as typeof looksLikeSecret;
  assert.equal(rebuilt('DB_PASSWORD', 'hunter2!'), true);
  assert.equal(rebuilt('PATH', '/bin'), false);
});

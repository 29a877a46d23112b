import { createHash, createPublicKey, verify } from 'node:crypto';
import type { JWK_OKP_Public } from 'jose';
import Type, { type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import { type KeptText, NOTHING } from './kept-text.ts';
import { TokenInfo } from './token-schemas.ts';

export const MAX_TOKEN_FILE_BYTES = 4 * 1024 * 1024;

/** Of before the list was signed: taken as it is until the first change, unless the log says that there was one. */
const UnsignedFile = Type.Object(
  { version: Type.Literal(1), tokens: Type.Array(TokenInfo) },
  { additionalProperties: false },
);
const SignedFile = Type.Object(
  {
    version: Type.Literal(2),
    generation: Type.Integer({ minimum: 1 }),
    tokens: Type.Array(TokenInfo),
    signature: Type.String({ maxLength: 256 }),
  },
  { additionalProperties: false },
);
const unsignedFile = Compile(UnsignedFile);
const signedFile = Compile(SignedFile);
type SignedFile = Static<typeof SignedFile>;

/** What was found under HOME/tokens.json. */
export type FoundTokens =
  | { readonly is: 'list'; readonly generation: number; readonly tokens: readonly TokenInfo[] }
  | { readonly is: 'missing' }
  | { readonly is: 'damaged'; readonly reason: string };

export interface TokenFile extends Pick<KeptText, 'shared' | 'confirm' | 'onChange'> {
  read(): Promise<FoundTokens & { readonly version: string }>;
  /** Signed by the node's token key, which is there only while the node is unlocked. Resolves with the new version. */
  write(generation: number, tokens: readonly TokenInfo[], after: string): Promise<string>;
}

/**
 * The list on disk, signed so that a node that is still locked, and a gateway that holds no key, can tell whether it is the node's own.
 * What is signed has the form of a JWT's input, because the store signs nothing else for the gateway; its `typ`, and claims
 * that no token has, keep it from ever passing for one.
 */
export function createTokenFile(of: {
  readonly text: KeptText;
  readonly publicJwk: JWK_OKP_Public;
  readonly sign: (input: Uint8Array) => Promise<Uint8Array>;
}): TokenFile {
  const key = createPublicKey({ key: { ...of.publicJwk }, format: 'jwk' });

  const parse = (text: string | undefined): FoundTokens => {
    if (text === undefined) return { is: 'missing' };
    const value = parseJson(text);
    if (value === undefined) return damaged('it is not JSON');
    if (unsignedFile.Check(value)) return { is: 'list', generation: 0, tokens: value.tokens };
    if (!signedFile.Check(value)) return damaged('it has another shape');
    const { generation, tokens, signature } = value;
    const input = signingInput(generation, tokens);
    if (!verify(null, input, key, Buffer.from(signature, 'base64url'))) return damaged('it is not signed by this node');
    return { is: 'list', generation, tokens };
  };
  return {
    shared: of.text.shared,
    confirm: of.text.confirm,
    onChange: of.text.onChange,
    async read() {
      try {
        const { text, version } = await of.text.read();
        return { ...parse(text), version };
      } catch (error) {
        // The store that does not answer says nothing of the list.
        if (of.text.shared) throw error;
        return { ...damaged(error instanceof RangeError ? error.message : 'it cannot be read'), version: NOTHING };
      }
    },
    async write(generation, tokens, after) {
      const signature = Buffer.from(await of.sign(signingInput(generation, tokens))).toString('base64url');
      const file: SignedFile = { version: 2, generation, tokens: [...tokens], signature };
      return of.text.write(`${JSON.stringify(file, undefined, 2)}\n`, after);
    },
  };
}

function signingInput(generation: number, tokens: readonly TokenInfo[]): Buffer {
  const sha256 = createHash('sha256').update(JSON.stringify(tokens)).digest('hex');
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return Buffer.from(
    `${encode({ alg: 'EdDSA', typ: 'nectar-token-list' })}.${encode({ generation, sha256 })}`,
    'ascii',
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function damaged(reason: string): FoundTokens {
  return { is: 'damaged', reason };
}

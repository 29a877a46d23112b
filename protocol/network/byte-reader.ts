import { NectarError } from '../errors.ts';

/** Reads a wire message strictly from front to back; the length of everything is checked before it is taken. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #message: string;
  #offset = 0;

  /** `message` names the message in errors. */
  constructor(bytes: Uint8Array, message: string) {
    this.#bytes = bytes;
    this.#message = message;
  }

  /** A view of the next `length` bytes; throws NETWORK_MESSAGE_INVALID when they are not there. */
  take(length: number): Uint8Array {
    if (length > this.#bytes.length - this.#offset) throw this.invalid('it ends too early');
    const view = this.#bytes.subarray(this.#offset, this.#offset + length);
    this.#offset += length;
    return view;
  }

  /** A view of everything that is left. */
  rest(): Uint8Array {
    return this.take(this.#bytes.length - this.#offset);
  }

  u8(): number {
    return Number(this.#unsigned(1));
  }

  /** Big-endian. */
  u16(): number {
    return Number(this.#unsigned(2));
  }

  /** Big-endian. */
  u64(): bigint {
    return this.#unsigned(8);
  }

  /** Throws unless every byte was read, so that one meaning has one encoding. */
  end(): void {
    if (this.#offset !== this.#bytes.length) throw this.invalid('bytes follow its end');
  }

  invalid(problem: string): NectarError<'NETWORK_MESSAGE_INVALID'> {
    return new NectarError('NETWORK_MESSAGE_INVALID', { message: this.#message, problem });
  }

  #unsigned(length: number): bigint {
    let value = 0n;
    for (const byte of this.take(length)) value = (value << 8n) | BigInt(byte);
    return value;
  }
}

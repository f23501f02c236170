// Reading and writing the protocol's numbers: unsigned and big-endian.

/** Bytes that this protocol does not allow; `what` names the message and field. */
export class Malformed extends Error {
  constructor(what: string) {
    super(`the server sent what is no ${what}`);
    this.name = "Malformed";
  }
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** Takes the fields of one payload in order. What stands behind them is left alone: newer servers may add fields. */
export class Reader {
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  readonly #message: string;
  #at = 0;

  constructor(message: string, payload: Uint8Array) {
    this.#message = message;
    this.#bytes = payload;
    this.#view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  }

  /** Bytes that no field has taken. */
  get left(): number {
    return this.#bytes.length - this.#at;
  }

  u8(field: string): number {
    return this.#view.getUint8(this.#take(1, field));
  }

  u16(field: string): number {
    return this.#view.getUint16(this.#take(2, field));
  }

  u32(field: string): number {
    return this.#view.getUint32(this.#take(4, field));
  }

  i32(field: string): number {
    return this.#view.getInt32(this.#take(4, field));
  }

  u64(field: string): bigint {
    return this.#view.getBigUint64(this.#take(8, field));
  }

  /** A 64-bit count or id that no session's length makes greater than a double holds exactly. */
  count(field: string): number {
    const value = this.u64(field);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw this.bad(field);
    return Number(value);
  }

  bytes(length: number, field: string): Uint8Array {
    const at = this.#take(length, field);
    return this.#bytes.subarray(at, at + length);
  }

  text(length: number, limit: number, field: string): string {
    if (length > limit) throw this.bad(field);
    const bytes = this.bytes(length, field);
    try {
      return utf8.decode(bytes);
    } catch {
      throw this.bad(field);
    }
  }

  bad(field: string): Malformed {
    return new Malformed(`${this.#message} (${field})`);
  }

  #take(length: number, field: string): number {
    if (length > this.left) throw this.bad(field);
    const at = this.#at;
    this.#at += length;
    return at;
  }
}

/** Puts fields one behind the other. */
export class Writer {
  #bytes = new Uint8Array(64);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  u8(value: number): this {
    const at = this.#grow(1);
    this.#view.setUint8(at, value);
    return this;
  }

  u16(value: number): this {
    const at = this.#grow(2);
    this.#view.setUint16(at, value);
    return this;
  }

  u32(value: number): this {
    const at = this.#grow(4);
    this.#view.setUint32(at, value);
    return this;
  }

  i32(value: number): this {
    const at = this.#grow(4);
    this.#view.setInt32(at, value);
    return this;
  }

  i16(value: number): this {
    const at = this.#grow(2);
    this.#view.setInt16(at, value);
    return this;
  }

  u64(value: bigint | number): this {
    const at = this.#grow(8);
    this.#view.setBigUint64(at, BigInt(value));
    return this;
  }

  bytes(value: Uint8Array): this {
    const at = this.#grow(value.length);
    this.#bytes.set(value, at);
    return this;
  }

  /** A copy of what was written. */
  done(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }

  /** Makes room, for which bytes and view may be replaced, and gives where it begins. */
  #grow(by: number): number {
    const at = this.#length;
    this.#length += by;
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#length, this.#bytes.length * 2));
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }
}

/** The beginning of a text that fits in `limit` bytes of UTF-8, cut between characters. */
export function cut(text: string, limit: number): Uint8Array {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length <= limit) return bytes;
  let end = limit;
  // A byte 10xxxxxx goes on with the character before it.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.subarray(0, end);
}

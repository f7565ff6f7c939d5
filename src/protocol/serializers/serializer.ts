/** A serializer that is not JSON. */
export interface Serializer {
  /**
   * Writes one value; `name` is its name in errors.
   * @throws {@link EncodeError} with the path to what cannot travel.
   */
  encode(value: unknown, name: string): string | Uint8Array
  /**
   * Writes a list of values that each have a name for errors.
   * @throws {@link EncodeError} with the path to what cannot travel.
   */
  encodeList(values: readonly unknown[], names: readonly string[]): string | Uint8Array
  /**
   * Reads one value, whoever wrote it.
   * @throws {@link DecodeError} for anything that is not what the format allows.
   */
  decode(body: Uint8Array): unknown
}

// Arrays on their way from the kernel: { view, dtype, shape }, as wire.py writes them.

const TYPES = {
  int8: Int8Array, uint8: Uint8Array, uint16: Uint16Array, int32: Int32Array, uint32: Uint32Array,
  float32: Float32Array, float64: Float64Array,
};

/** The value of a trait as Python has it: each array a typed array, row after row, that knows its `shape`. */
export function decode(value) {
  if (!value || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map(decode);
  if (!value.dtype) return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, decode(one)]));
  const { buffer, byteOffset, byteLength } = value.view; // its start need not be aligned
  const array = new TYPES[value.dtype](buffer.slice(byteOffset, byteOffset + byteLength));
  return Object.assign(array, { shape: value.shape });
}

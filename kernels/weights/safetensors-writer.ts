import { closeSync, openSync, writeSync } from 'node:fs';
import type { Weight } from './weight.ts';

const TYPE_NAMES = { f32: 'F32', bf16: 'BF16', f16: 'F16' } as const;

/** Writes the weights in the given order; the header is padded so that the data starts at a multiple of 8. */
export function writeSafetensors(
  path: string,
  weights: Iterable<Weight>,
  metadata: Readonly<Record<string, string>> = {},
): void {
  const list = [...weights];
  const header: Record<string, unknown> = { __metadata__: metadata };
  let offset = 0;
  for (const { name, dtype, shape, data } of list) {
    header[name] = { dtype: TYPE_NAMES[dtype], shape, data_offsets: [offset, offset + data.byteLength] };
    offset += data.byteLength;
  }
  const text = Buffer.from(JSON.stringify(header));
  const padded = Buffer.alloc(Math.ceil(text.length / 8) * 8, ' ');
  text.copy(padded);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));

  const descriptor = openSync(path, 'w');
  try {
    writeAll(descriptor, length);
    writeAll(descriptor, padded);
    for (const { data } of list)
      writeAll(descriptor, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  } finally {
    closeSync(descriptor);
  }
}

function writeAll(descriptor: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(descriptor, bytes, done);
}

import { closeSync, ftruncateSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const BYTES: Readonly<Record<string, number>> = { F32: 4, BF16: 2, F8_E4M3: 1 };

export interface SparseTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: string;
}

/** Shards of zeros that take no room on the disk, and their index, in the layout of Hugging Face. */
export function writeSparseShards(
  directory: string,
  tensors: readonly SparseTensor[],
  shardCount: number,
): void {
  const weightMap: Record<string, string> = {};
  const perShard = Math.ceil(tensors.length / shardCount);
  for (let shard = 0; shard < shardCount; shard++) {
    const number = (n: number) => String(n).padStart(5, '0');
    const file = `model-${number(shard + 1)}-of-${number(shardCount)}.safetensors`;
    const header: Record<string, unknown> = {};
    let offset = 0;
    for (const { name, shape, type } of tensors.slice(shard * perShard, (shard + 1) * perShard)) {
      const bytes = shape.reduce((product, size) => product * size, BYTES[type]);
      header[name] = { dtype: type, shape, data_offsets: [offset, offset + bytes] };
      weightMap[name] = file;
      offset += bytes;
    }
    writeSparse(join(directory, file), Buffer.from(JSON.stringify(header)), offset);
  }
  const index = { metadata: {}, weight_map: weightMap };
  writeFileSync(join(directory, 'model.safetensors.index.json'), JSON.stringify(index));
}

function writeSparse(path: string, header: Buffer, dataBytes: number): void {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const file = openSync(path, 'w');
  writeSync(file, length);
  writeSync(file, header);
  ftruncateSync(file, length.length + header.length + dataBytes);
  closeSync(file);
}

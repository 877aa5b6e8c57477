import { createRequire } from 'node:module';
import { join } from 'node:path';

/** What one run of a graph takes and gives, by name. */
interface PeerTensor {
  readonly data: Float32Array;
}
type Tensors = Readonly<Record<string, PeerTensor>>;

export interface PeerGraph {
  readonly inputNames: readonly string[];
  run(feeds: Tensors): Tensors;
}

export interface Peer {
  readonly version: string;
  floats(values: Float32Array, shape: readonly number[]): PeerTensor;
  integers(values: readonly number[], shape: readonly number[]): PeerTensor;
  open(path: string): PeerGraph;
}

interface RawSession {
  inputMetadata: { name: string }[];
  outputMetadata: { name: string }[];
  loadModel(path: string, options: object): void;
  run(feeds: Tensors, fetches: Record<string, null>, options: object): Tensors;
}

/** One thread, all graph optimisations. */
const OPTIONS = {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  graphOptimizationLevel: 'all',
  executionMode: 'sequential',
  logSeverityLevel: 3,
};

/**
 * ONNX Runtime, where it is installed; its run is called directly, without the promise of its public face, which only
 * helps it. Not a dependency of this package: its install script downloads, and its 288 MB serve this benchmark alone.
 */
export function loadPeer(): Peer | null {
  const require = createRequire(join(process.cwd(), 'package.json'));
  let internals: { binding: { InferenceSession: new () => RawSession }; initOrt(): void };
  let common: { Tensor: new (type: string, data: unknown, shape: readonly number[]) => PeerTensor };
  let version: string;
  try {
    internals = require('onnxruntime-node/dist/binding');
    common = require('onnxruntime-common');
    version = require('onnxruntime-node/package.json').version;
  } catch {
    return null;
  }
  internals.initOrt();
  return {
    version,
    floats: (values, shape) => new common.Tensor('float32', values, shape),
    integers: (values, shape) => new common.Tensor('int64', BigInt64Array.from(values, BigInt), shape),
    open(path) {
      const session = new internals.binding.InferenceSession();
      session.loadModel(path, OPTIONS);
      const fetches = Object.fromEntries(session.outputMetadata.map(({ name }) => [name, null]));
      return {
        inputNames: session.inputMetadata.map(({ name }) => name),
        run: feeds => session.run(feeds, fetches, {}),
      };
    },
  };
}

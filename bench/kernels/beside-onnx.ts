import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readAudioEncoderConfig } from '../../kernels/components/audio-encoder/config.ts';
import { FsmnNetwork } from '../../kernels/components/audio-encoder/network.ts';
import { loadGanDecoder } from '../../kernels/components/gan-decoder/index.ts';
import { readLatentBlock } from '../../kernels/components/language-model/attention.ts';
import {
  type LanguageModelConfig,
  readLanguageModelConfig,
} from '../../kernels/components/language-model/config.ts';
import { readFeedForward } from '../../kernels/components/language-model/feed-forward.ts';
import { CachedRows, LatentCache } from '../../kernels/components/language-model/latent-cache.ts';
import { loadVisionEncoder } from '../../kernels/components/vision-encoder/index.ts';
import { Workspace } from '../../kernels/components/workspace.ts';
import { hostMemory } from '../../kernels/tensor-memory.ts';
import type { FeedForward } from '../../kernels/feed-forward/index.ts';
import type { LatentBlock } from '../../kernels/latent-block/index.ts';
import type { Ops } from '../../kernels/ops.ts';
import { openWeightDirectory, openWeightFile } from '../../kernels/weights/index.ts';
import { measure, showTime } from './measure.ts';
import type { Peer } from './peers.ts';

/** The same step in both engines; each returns what the other should also return. */
interface Pair {
  readonly name: string;
  ours(): Float32Array;
  theirs(): Float32Array;
  /** Steps until both have seen the same past. */
  readonly warmUp?: number;
}

const CONTEXT = 100;
const PREFILL = 64;
const PICTURE = 112;
const CODES = [5, 6, 7, 8];
const MAX_DIFFERENCE = 2e-3;

function noise(length: number, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

function audioVector(ops: Ops, model: string, peer: Peer, graphs: string): Pair {
  const { network: config } = readAudioEncoderConfig(model);
  const files = ['encoder', 'projector'].map(part =>
    openWeightFile(join(model, `audio/audio_${part}.safetensors`)),
  );
  const network = new FsmnNetwork(ops, config, files[0], files[1]);
  for (const file of files) file.close();
  const { proj_size: width, left_order, left_stride, right_order, nlayer, num_right_layers } = config;
  const zeros = network.layers.map((_, i) => {
    const right = i >= nlayer - num_right_layers ? right_order : 0;
    return {
      g: new Float32Array((left_order + right) * left_stride * width),
      x: new Float32Array(right * width),
    };
  });
  const x = noise(config.input_size, 1);
  const graph = peer.open(join(graphs, 'fsmn.onnx'));
  const states = zeros.flatMap(({ g, x }) => [
    peer.floats(g, [1, width, g.length / width]),
    ...(x.length > 0 ? [peer.floats(x, [1, x.length / width, width])] : []),
  ]);
  const feeds = { x: peer.floats(x, [1, 1, x.length]), ...named(states) };
  return {
    name: 'FSMN encoder, one vector (80 ms)',
    ours() {
      let y = network.before(x, 1);
      const run = { flush: false, rows: 1, states: [...zeros] };
      network.layers.forEach((layer, i) => {
        y = layer.step([run], i, y);
      });
      return network.project(network.after(y, 1), 1);
    },
    theirs: () => graph.run(feeds).y.data,
  };
}

function picture(ops: Ops, model: string, peer: Peer, graphs: string): Pair {
  const encoder = loadVisionEncoder(ops, model);
  const data = new Uint8Array(PICTURE * PICTURE * 3).map((_, i) => (i * 7) % 251);
  const { image_mean, image_std } = JSON.parse(readFileSync(join(model, 'vision/config.json'), 'utf8'));
  const area = PICTURE * PICTURE;
  const pixels = Float32Array.from({ length: 2 * 3 * area }, (_, i) => {
    const channel = Math.floor(i / area) % 3;
    return (data[(i % area) * 3 + channel] / 255 - image_mean[channel]) / image_std[channel];
  });
  const graph = peer.open(join(graphs, 'vit.onnx'));
  const feeds = { x: peer.floats(pixels, [1, 2, 3, PICTURE, PICTURE]) };
  return {
    name: `ViT, one picture ${PICTURE}×${PICTURE} (ours from bytes)`,
    ours: () => encoder.encode([{ width: PICTURE, height: PICTURE, data }]).projector,
    theirs: () => graph.run(feeds).y.data,
  };
}

function codeFrame(ops: Ops, model: string, peer: Peer, graphs: string): Pair {
  const stream = loadGanDecoder(ops, model).createStream();
  const codes = Int32Array.from(CODES);
  const graph = peer.open(join(graphs, 'codec.onnx'));
  const shapes = JSON.parse(readFileSync(join(graphs, 'codec.json'), 'utf8')) as number[][];
  const feeds: Record<string, ReturnType<Peer['floats']>> = {
    x: peer.integers(CODES, [1, 1, CODES.length]),
    ...named(shapes.map(shape => peer.floats(new Float32Array(shape.reduce((a, b) => a * b)), shape))),
  };
  return {
    name: 'codec decoder, one frame (60 ms)',
    warmUp: 60,
    ours: () => stream.push(codes),
    theirs() {
      const { y, ...next } = graph.run(feeds);
      for (const [name, state] of Object.entries(next)) feeds[name.replace('next', 'state')] = state;
      return y.data;
    },
  };
}

/** The dense half of a layer: attention, network, attention, network, each behind its norm and added to its input. */
class DenseLayer {
  readonly #ops: Ops;
  readonly #config: LanguageModelConfig;
  readonly #norms: readonly Float32Array[];
  readonly #attentions: readonly LatentBlock[];
  readonly #networks: readonly FeedForward[];
  readonly #workspace = new Workspace(hostMemory);

  constructor(ops: Ops, model: string, config: LanguageModelConfig) {
    const weights = openWeightDirectory(model);
    const prefix = 'model.layers.0';
    const norm = (name: string) => weights.floats(`${prefix}.${name}.weight`, [config.hidden]);
    this.#ops = ops;
    this.#config = config;
    this.#norms = [0, 1].flatMap(i => [norm(`input_layernorm.${i}`), norm(`post_attention_layernorm.${i}`)]);
    this.#attentions = [0, 1].map(i => readLatentBlock(weights, `${prefix}.self_attn.${i}`, config, ops));
    this.#networks = [0, 1].map(i =>
      readFeedForward(weights, `${prefix}.mlps.${i}`, config.hidden, config.ffn, ops),
    );
    weights.close();
  }

  /** In kept memory, as the model's own layer. */
  apply(input: Float32Array, rows: number, cached: CachedRows): Float32Array {
    const take = (name: string) => this.#workspace.take(name, input.length);
    const [x, normed, branch] = [take('x'), take('normed'), take('branch')];
    x.set(input);
    const norm = (n: number) => this.#ops.rmsNorm(x, rows, this.#norms[n], this.#config.normEpsilon, normed);
    for (const half of [0, 1]) {
      const offset = cached.offsetOf(half);
      this.#ops.residual(x, this.#attentions[half].apply(norm(2 * half), cached, offset, branch));
      this.#ops.residual(x, this.#networks[half].apply(norm(2 * half + 1), rows, branch));
    }
    return x;
  }
}

function layerPair(ops: Ops, model: string, peer: Peer, graphs: string, start: number, rows: number): Pair {
  const config = readLanguageModelConfig(model);
  const { hidden, kvRank, rope } = config;
  const layer = new DenseLayer(ops, model, config);
  const rowWidth = kvRank + rope;
  const sequence = new LatentCache(2, rowWidth, start + rows, 'f32', hostMemory).openSequence();
  sequence.reserve(start + rows);
  const { pages } = sequence.nextRows(start + rows);
  const cached = new CachedRows([{ rows, start, pages }], rowWidth);
  const past = [0, 1].flatMap(half => [noise(start * kvRank, 3 + half), noise(start * rope, 5 + half)]);
  for (let p = 0; p < start; p++) {
    for (const half of [0, 1]) {
      const page = pages[Math.floor(p / cached.pageRows)];
      const at = cached.offsetOf(half) + (p % cached.pageRows) * rowWidth;
      page.set(past[2 * half].subarray(p * kvRank, (p + 1) * kvRank), at);
      page.set(past[2 * half + 1].subarray(p * rope, (p + 1) * rope), at + kvRank);
    }
  }
  const x = noise(rows * hidden, 2);
  const graph = peer.open(join(graphs, start > 0 ? 'layer-decode.onnx' : 'layer-prefill.onnx'));
  const states = past.map(values => peer.floats(values, [1, start, values.length / Math.max(start, 1)]));
  const feeds = { x: peer.floats(x, [1, rows, hidden]), ...(start > 0 ? named(states) : {}) };
  return {
    name: `ScMoE layer without experts, ${rows} row${rows > 1 ? 's' : ''} behind ${start}`,
    ours: () => layer.apply(x, rows, cached),
    theirs: () => graph.run(feeds).y.data,
  };
}

const named = <T>(states: readonly T[]): Record<string, T> =>
  Object.fromEntries(states.map((state, i) => [`state${i}`, state]));

/** What to do to see this table, or null when everything is there. */
export function missingForOnnx(peer: Peer | null, graphs: string): string | null {
  if (!peer) return 'npm i --no-save --ignore-scripts onnxruntime-node@1.30.0';
  if (!existsSync(join(graphs, 'layer-prefill.onnx'))) return 'python3 train/onnx_export.py';
  return null;
}

/** @throws Error when the two engines do not agree: then their times say nothing */
export function onnxRows(ops: Ops, model: string, peer: Peer, graphs: string): string[][] {
  const pairs = [
    audioVector(ops, model, peer, graphs),
    picture(ops, model, peer, graphs),
    codeFrame(ops, model, peer, graphs),
    layerPair(ops, model, peer, graphs, CONTEXT, 1),
    layerPair(ops, model, peer, graphs, 0, PREFILL),
  ];
  const differences = pairs.map(({ name, ours, theirs, warmUp = 1 }) => {
    let [a, b] = [ours(), theirs()];
    for (let i = 1; i < warmUp; i++) [a, b] = [ours(), theirs()];
    const difference = a.reduce((worst, value, i) => Math.max(worst, Math.abs(value - b[i])), 0);
    if (a.length === b.length && difference < MAX_DIFFERENCE) return difference;
    throw new Error(
      `${name}: the engines differ by ${difference} (${a.length} and ${b.length} values). Graphs of other weights? python3 train/onnx_export.py`,
    );
  });
  const times = measure(
    pairs.flatMap(({ ours, theirs }) => [ours, theirs]),
    15,
  );
  const ratios = pairs.map((_, p) => times[2 * p + 1].median / times[2 * p].median);
  const geometric = Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length);
  const rows = pairs.map(({ name }, p) => [
    name,
    showTime(times[2 * p]),
    showTime(times[2 * p + 1]),
    `${ratios[p].toFixed(2)}×`,
    differences[p].toExponential(0),
  ]);
  return [...rows, ['geometric mean (goal: 1.5×)', '', '', `${geometric.toFixed(2)}×`, '']];
}

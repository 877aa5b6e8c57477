import {
  type DecoderNetwork,
  type DecoderWork,
  LOOKAHEAD_FRAMES,
  type StreamState,
} from './decoder-parts.ts';
import { completedRows, streamedConv1d } from './streamed-conv1d.ts';

const EPS = 1e-5;
/** Code frames taken through the network at a time; bounds the memory of a long push, not the result. */
const BLOCK_FRAMES = 16;

/** The next samples of several streams; all works are checked before any stream goes on. */
export function decodeTogether(
  network: DecoderNetwork,
  works: readonly (DecoderWork & { readonly stream: StreamState })[],
): Float32Array[] {
  const { codebooks, width } = network;
  for (const { stream, codes } of works) stream.check(codes);
  const pieces = works.map((): Float32Array[] => []);
  const block = BLOCK_FRAMES * codebooks;
  const longest = works.reduce((most, { codes }) => Math.max(most, codes.length), 0);
  for (let start = 0; start < longest; start += block) {
    const parts = works.flatMap(({ stream, codes }, i) =>
      start < codes.length ? [{ stream, i, codes: codes.subarray(start, start + block) }] : [],
    );
    const frames = parts.map(({ codes }) => codes.length / codebooks);
    const streams = parts.map(({ stream }) => stream);
    const embedded = embed(network, parts.length === 1 ? parts[0].codes : joinedCodes(parts));
    const samples = synthesize(network, streams, remember(network, streams, embedded, frames), frames);
    for (const [n, { i }] of parts.entries()) pieces[i].push(samples[n]);
  }
  // Zeros stand for the missing frames behind the memory layers, which are not stepped (docs/spec/model.md §4.5).
  const ending = works.flatMap(({ stream, finish }, i) => (finish ? [{ stream, i }] : []));
  if (ending.length > 0) {
    const frames = ending.map(() => LOOKAHEAD_FRAMES);
    const nothing = new Float32Array(ending.length * LOOKAHEAD_FRAMES * width);
    const streams = ending.map(({ stream }) => stream);
    const samples = synthesize(network, streams, nothing, frames);
    for (const [n, { stream, i }] of ending.entries()) {
      stream.end();
      pieces[i].push(samples[n]);
    }
  }
  return pieces.map(joined);
}

/** [frames × (semantic embedding | acoustic latent)] */
function embed(network: DecoderNetwork, codes: Int32Array): Float32Array {
  const { codebooks, quantizer, semanticTable, semanticWidth, width } = network;
  const frames = codes.length / codebooks;
  const acoustic = new Int32Array(frames * quantizer.stages);
  for (let t = 0; t < frames; t++) {
    acoustic.set(codes.subarray(t * codebooks + 1, (t + 1) * codebooks), t * quantizer.stages);
  }
  const latent = quantizer.decode(acoustic, frames);
  const embedded = new Float32Array(frames * width);
  for (let t = 0; t < frames; t++) {
    const entry = codes[t * codebooks] * semanticWidth;
    embedded.set(semanticTable.subarray(entry, entry + semanticWidth), t * width);
    embedded.set(latent.subarray(t * quantizer.width, (t + 1) * quantizer.width), t * width + semanticWidth);
  }
  return embedded;
}

/** Two LSTMs, each followed by a layer norm. */
function remember(
  { ops, memory, width, workspace }: DecoderNetwork,
  streams: readonly StreamState[],
  frames: Float32Array,
  rows: readonly number[],
): Float32Array {
  return memory.reduce((x, { lstm, weight, bias }, layer) => {
    const y = workspace.take(layer % 2 === 0 ? 'even' : 'odd', x.length);
    let at = 0;
    streams.forEach((stream, s) => {
      const end = at + rows[s] * width;
      lstm.apply(x.subarray(at, end), rows[s], stream.memory[layer], y.subarray(at, end));
      at = end;
    });
    return ops.layerNorm(y, x.length / width, weight, bias, EPS, y);
  }, frames);
}

/**
 * From memory frames to the samples of the frames whose look-ahead is complete. The first layers are mostly weights,
 * and go over all streams before the next one's are read; behind the first block the sounds are larger than the
 * weights, and each stream goes alone.
 */
function synthesize(
  network: DecoderNetwork,
  streams: readonly StreamState[],
  frames: Float32Array,
  rows: readonly number[],
): Float32Array[] {
  const { first, blocks, width, workspace } = network;
  const complete = streams.map((stream, s) => completedRows(first, stream.first, rows[s]));
  const total = complete.reduce((sum, count) => sum + count, 0);
  const { outputs } = first.shape;
  const started = workspace.take('started', total * outputs);
  let [read, written] = [0, 0];
  streams.forEach((stream, s) => {
    const own = frames.subarray(read, read + rows[s] * width);
    const out = started.subarray(written, written + complete[s] * outputs);
    streamedConv1d(first, stream.first, rows[s], room => room.set(own), workspace, out);
    read += own.length;
    written += out.length;
  });
  const [block, ...rest] = blocks;
  const x = block.step(
    streams.map(stream => stream.blocks[0]),
    started,
    complete,
  );
  const ofFrame = total > 0 ? x.length / total : 0;
  let at = 0;
  return streams.map((stream, s) => {
    const own = x.subarray(at, at + ofFrame * complete[s]);
    at += own.length;
    if (complete[s] === 0) return new Float32Array(0);
    const sound = rest.reduce(
      (y, next, b) => next.step([stream.blocks[b + 1]], y, [y.length / next.inputs]),
      own,
    );
    return samplesOf(network, stream, sound);
  });
}

function samplesOf(
  { ops, lastAlpha, last, workspace }: DecoderNetwork,
  stream: StreamState,
  x: Float32Array,
) {
  const rows = x.length / lastAlpha.length;
  const samples = new Float32Array(rows);
  const bend = (room: Float32Array) => ops.snake(x, rows, lastAlpha, room);
  streamedConv1d(last, stream.last, rows, bend, workspace, samples);
  for (let i = 0; i < rows; i++) samples[i] = Math.tanh(samples[i]);
  return samples;
}

function joinedCodes(parts: readonly { readonly codes: Int32Array }[]): Int32Array {
  const all = new Int32Array(parts.reduce((sum, { codes }) => sum + codes.length, 0));
  let at = 0;
  for (const { codes } of parts) {
    all.set(codes, at);
    at += codes.length;
  }
  return all;
}

function joined(pieces: readonly Float32Array[]): Float32Array {
  if (pieces.length === 1) return pieces[0];
  const all = new Float32Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

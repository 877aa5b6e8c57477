/**
 * Operations of an engine whose numbers lie elsewhere: the reference's, behind handles. A tensor is an object without
 * anything in it, so whoever looks inside other than through `memory` fails.
 */
import type { CachePage } from '../../kernels/latent-attention/index.ts';
import type { Ops } from '../../kernels/ops.ts';
import { referenceOps } from '../../kernels/reference-ops.ts';
import { hostMemory } from '../../kernels/tensor-memory.ts';

/** Of a tensor or a page of the cache. */
export class Handle {}

export interface HostAccess {
  reads: number;
  writes: number;
}

export function handleOps(access: HostAccess): Ops<Handle, Handle> {
  const [tensors, pages] = [new WeakMap<Handle, Float32Array>(), new WeakMap<Handle, CachePage>()];
  const named = <T extends WeakKey>(map: WeakMap<Handle, T>, handle: Handle): T => {
    const found = map.get(handle);
    if (!found) throw new Error('This is no handle of this engine.');
    return found;
  };
  const of = (handle: Handle) => named(tensors, handle);
  const maybe = (handle?: Handle) => (handle ? of(handle) : undefined);
  const held = (values: Float32Array) => {
    const handle = new Handle();
    tensors.set(handle, values);
    return handle;
  };
  /** What an operation gives: in the tensor that was brought for it, or in one of its own. */
  const given = (values: Float32Array, out?: Handle) => out ?? held(values);

  return {
    ...referenceOps,
    memory: {
      make: numbers => held(new Float32Array(numbers).fill(Number.NaN)),
      head: (handle, numbers) => held(of(handle).subarray(0, numbers)),
      hold: values => held(values.slice()),
      makePage: (type, numbers) => {
        const page = new Handle();
        pages.set(page, hostMemory.makePage(type, numbers));
        return page;
      },
      copy: (from, fromIndex, to, toIndex, numbers) =>
        hostMemory.copy(of(from), fromIndex, of(to), toIndex, numbers),
      write: (to, index, values) => {
        access.writes++;
        of(to).set(values, index);
      },
      read: from => {
        access.reads++;
        return of(from).slice();
      },
    },
    linear: (weight, bias) => {
      const linear = referenceOps.linear(weight, bias);
      const { inputs, outputs } = linear;
      return { inputs, outputs, apply: (x, rows, out) => given(linear.apply(of(x), rows, maybe(out)), out) };
    },
    rmsNorm: (x, rows, weight, epsilon, out) =>
      given(referenceOps.rmsNorm(of(x), rows, of(weight), epsilon, maybe(out)), out),
    residual: (x, branch, scale) => given(referenceOps.residual(of(x), of(branch), maybe(scale)), x),
    embedding: (tables, width) => {
      const embedding = referenceOps.embedding(tables, width);
      return { apply: (ids, rows, out) => embedding.apply(ids, rows, of(out)) };
    },
    feedForward: weights => {
      const network = referenceOps.feedForward(weights);
      return { apply: (x, rows, out) => given(network.apply(of(x), rows, maybe(out)), out) };
    },
    router: (...weights) => {
      const router = referenceOps.router(...weights);
      return { apply: (x, rows) => router.apply(of(x), rows) };
    },
    experts: (weights, hidden) => {
      const experts = referenceOps.experts(weights, hidden);
      return {
        apply: (x, rows, routing, out) => given(experts.apply(of(x), rows, routing, maybe(out)), out),
      };
    },
    expertRanks: count => {
      const ranks = referenceOps.expertRanks(count);
      return {
        count: ranks.count,
        nowUs: () => ranks.nowUs(),
        prepare: (...layer) => {
          const ranked = ranks.prepare(...layer);
          return {
            dispatch: (x, rows, routing) => {
              const exchange = ranked.dispatch(of(x), rows, routing);
              return { combine: () => held(exchange.combine()), times: () => exchange.times() };
            },
          };
        },
      };
    },
    latentBlock: (weights, shape) => {
      const block = referenceOps.latentBlock(weights, shape);
      return {
        apply: (x, { pageRows, segments }, offset, out) => {
          const here = segments.map(segment => ({
            ...segment,
            pages: segment.pages.map(page => named(pages, page)),
          }));
          return given(block.apply(of(x), { pageRows, segments: here }, offset, maybe(out)), out);
        },
      };
    },
    codebookHeads: (heads, cascade) => {
      const codes = referenceOps.codebookHeads(heads, cascade);
      const { codeVocabSize } = codes;
      return { codeVocabSize, apply: (hidden, rows, ...more) => codes.apply(of(hidden), rows, ...more) };
    },
  };
}

/**
 * A step of the four-process run as programs: what train/parallel/step.py does, in its order, rank by rank. Operators
 * take a processor's time, of which there are fewer than ranks; a message takes its two ends' time, and is waited for.
 */
import type { Operation, Program } from './program.ts';
import { turnsOf } from './schedules.ts';
import { type SmallCosts, updateSizes } from './small-costs.ts';
import { dealt, groupsOf, placed, placeOf, range } from './small-groups.ts';
import { countsOf, type Measured, type SmallSizes } from './small-measured.ts';

const FLOAT = 4;
/**
 * Ids, codes, targets and weights of a position; numbers of an image's token: two patches of 14 × 14, in both of its
 * halves.
 */
const POSITION_BYTES = 100;
const IMAGE_TOKEN_BYTES = 2 * 2 * 3 * 14 * 14 * FLOAT;
const METADATA_BYTES = 8;
/** Of a token's choices those that are real experts (docs/spec/model.md §9). */
const REAL_SHARE = 2 / 3;

export function stepProgram(measured: Measured, sizes: SmallSizes, costs: SmallCosts, rank: number): Program {
  return new StepProgram(measured, sizes, costs, rank).whole();
}

class StepProgram {
  readonly #measured: Measured;
  readonly #sizes: SmallSizes;
  readonly #costs: SmallCosts;
  readonly #rank: number;
  readonly #out: Operation[] = [];
  readonly #groups: ReturnType<typeof groupsOf>;
  readonly #stage: number;
  /** Tokens of the items of this group's micro-batches, and by inner rank as they are encoded. */
  readonly #items: number[][];
  readonly #placement: number[][];
  readonly #loads: boolean;

  constructor(measured: Measured, sizes: SmallSizes, costs: SmallCosts, rank: number) {
    this.#measured = measured;
    this.#sizes = sizes;
    this.#costs = costs;
    this.#rank = rank;
    const { dp, cp, pp } = sizes;
    const [data, stage] = placeOf(sizes, rank);
    this.#stage = stage;
    this.#groups = groupsOf(sizes, rank);
    this.#items = dealt(measured.work.items, dp, data);
    this.#placement = placed(this.#items.flat(), cp * pp);
    this.#loads = this.#groups.inner[0] === rank;
  }

  whole(): Program {
    this.#load();
    this.#encode('encode');
    this.#bridge('bridge');
    this.#pipeline();
    this.#bridge('bridge back');
    this.#encode('encode back');
    this.#update();
    return this.#out;
  }

  #load(): void {
    const { inner, world } = this.#groups;
    const [root] = inner;
    const tokens = this.#items.flat().reduce((sum, each) => sum + each, 0);
    const all = this.#measured.work.items.flat().reduce((sum, each) => sum + each, 0);
    this.#around('load');
    for (const bytes of [
      METADATA_BYTES,
      this.#items.length * POSITION_BYTES,
      this.#items.length * this.#measured.length * POSITION_BYTES,
    ])
      this.#scatter('load', root, inner, () => bytes);
    this.#allToAll('metadata', world, METADATA_BYTES);
    this.#around('balance');
    this.#around('items', tokens / all);
    this.#scatter('items', root, inner, i => sum(this.#placement[i]) * IMAGE_TOKEN_BYTES);
    if (world.length > inner.length) this.#allToAll('metadata', world, METADATA_BYTES);
  }

  /** Weights are gathered from their shards before. */
  #encode(what: 'encode' | 'encode back'): void {
    const { inner } = this.#groups;
    this.#around('gather');
    this.#allToAll('gather', inner, (this.#measured.parameters.encoders.vision / inner.length) * FLOAT);
    for (const tokens of this.#placement[inner.indexOf(this.#rank)])
      this.#work(what, this.#costs.encodeMs(what, tokens));
  }

  /** Chunk by chunk over inner rank 0. */
  #bridge(way: 'bridge' | 'bridge back'): void {
    const { inner, stage0 } = this.#groups;
    const [root] = inner;
    const width = this.#measured.hidden * FLOAT;
    const rowsOf = (i: number) => sum(this.#placement[i]) / this.#measured.chunks;
    const all = range(inner.length).reduce((total, i) => total + rowsOf(i), 0);
    const half = () => (all * width) / stage0.length;
    this.#around(way);
    for (let c = 0; c < this.#measured.chunks; c++) {
      if (way === 'bridge') {
        this.#gather(way, root, inner, i => rowsOf(i) * width);
        this.#scatter(way, root, stage0, half);
      } else {
        this.#gather(way, root, stage0, half);
        this.#scatter(way, root, inner, i => rowsOf(i) * width);
      }
    }
  }

  #pipeline(): void {
    const { cp, pp } = this.#sizes;
    const hop = (this.#measured.length / cp) * this.#measured.hidden * FLOAT;
    const [before, after] = [this.#rank - cp, this.#rank + cp];
    const [isFirst, isLast] = [this.#stage === 0, this.#stage === pp - 1];
    for (const { phase, microBatch } of turnsOf('1f1b', this.#stage, pp, this.#items.length)) {
      const forward = phase === 'F';
      if (forward) {
        if (isFirst) this.#features('features', microBatch);
        else this.#receive('forward', before, hop);
        if (isFirst) this.#work('embed', this.#costs.embedMs, microBatch);
        this.#layers('forward', microBatch);
        if (isLast) this.#work('head', this.#costs.headMs, microBatch);
        else this.#send('forward', after, hop);
        continue;
      }
      if (!isLast) this.#receive('backward', after, hop);
      this.#layers('backward', microBatch);
      if (isFirst) this.#features('features back', microBatch);
      else this.#send('backward', before, hop);
    }
  }

  #features(way: string, microBatch: number): void {
    const { context } = this.#groups;
    const bytes = (sum(this.#items[microBatch]) * this.#measured.hidden * FLOAT) / context.length;
    this.#around(way);
    this.#allToAll(way, context, bytes);
  }

  /** In every layer two attentions gather latents, and experts get their tokens and give them back. */
  #layers(way: 'forward' | 'backward', microBatch: number): void {
    const { context, spread } = this.#groups;
    const { cp, pp, ep } = this.#sizes;
    const { layers, length, hidden, work } = this.#measured;
    const here = layers / pp;
    const ms =
      way === 'forward'
        ? this.#costs.forwardLayerMs
        : (this.#costs.backwardMs * this.#costs.backwardShare(this.#stage, pp)) / here;
    const latents = (length / cp) * work.latent * FLOAT;
    const tokens = (((length / cp) * work.choices * REAL_SHARE) / ep) * hidden * FLOAT;
    for (let layer = 0; layer < here; layer++) {
      for (const _ of [1, 2]) {
        this.#work(way, ms / 4, microBatch);
        this.#allToAll(way, context, latents);
      }
      if (way === 'forward') this.#allToAll(way, spread, METADATA_BYTES);
      this.#allToAll(way, spread, tokens);
      this.#work(way, ms / 2, microBatch);
      this.#allToAll(way, spread, tokens);
    }
  }

  #update(): void {
    const { dense, experts, world } = this.#groups;
    const { brought, shard } = updateSizes(this.#measured, this.#sizes, this.#stage);
    const counts = countsOf(this.#measured, this.#sizes, this.#stage);
    this.#work('update', this.#costs.updateMs(brought, shard));
    const summed = (group: readonly number[], numbers: number, times: number) => {
      const each = (numbers / group.length) * FLOAT;
      for (const bytes of [METADATA_BYTES, METADATA_BYTES, each * times, each])
        this.#allToAll('update', group, bytes);
    };
    summed(dense, counts.dense, 1);
    summed(experts, counts.experts, this.#sizes.ep);
    summed(world, counts.encoders, 1);
    for (let layer = 0; layer < this.#measured.layers / this.#sizes.pp; layer++)
      this.#allToAll('update', dense, METADATA_BYTES);
    this.#allToAll('update', world, METADATA_BYTES * 2 * this.#items.length);
  }

  #around(operator: string, share = 1): void {
    this.#work(operator, this.#costs.around(operator, this.#loads) * share);
  }

  #work(label: string, ms: number, microBatch?: number): void {
    if (ms > 0) this.#out.push({ kind: 'work', label, ms, ...(microBatch !== undefined && { microBatch }) });
  }

  #send(label: string, to: number, bytes: number): void {
    this.#work(label, this.#costs.exchangeMs(1, bytes));
    this.#out.push({ kind: 'send', to, tag: `hop ${label}`, ms: this.#costs.delayMs(bytes) });
  }

  #receive(label: string, from: number, bytes: number): void {
    this.#out.push({ kind: 'receive', from, tag: `hop ${label}` });
    this.#work(label, this.#costs.exchangeMs(1, bytes));
  }

  /** Sends all, then waits for all; the work of the ends is half before and half after. */
  #exchange(label: string, sends: Map<number, number>, receives: Map<number, number>): void {
    const ends = [sends, receives].flatMap(part =>
      [...part].filter(([other, bytes]) => other !== this.#rank && bytes > 0),
    );
    if (ends.length === 0) return;
    const ms = this.#costs.exchangeMs(ends.length, sum(ends.map(([, bytes]) => bytes))) / 2;
    this.#work(label, ms);
    for (const [to, bytes] of sends)
      if (to !== this.#rank && bytes > 0)
        this.#out.push({ kind: 'send', to, tag: 'exchange', ms: this.#costs.delayMs(bytes) });
    for (const [from, bytes] of receives)
      if (from !== this.#rank && bytes > 0) this.#out.push({ kind: 'receive', from, tag: 'exchange' });
    this.#work(label, ms);
  }

  #allToAll(label: string, group: readonly number[], bytes: number): void {
    const each = new Map(group.map(member => [member, bytes]));
    this.#exchange(label, each, each);
  }

  #scatter(label: string, root: number, group: readonly number[], bytes: (index: number) => number): void {
    const each = new Map(group.map((member, i) => [member, bytes(i)]));
    const mine = each.get(this.#rank) ?? 0;
    this.#exchange(label, this.#rank === root ? each : new Map(), new Map([[root, mine]]));
  }

  #gather(label: string, root: number, group: readonly number[], bytes: (index: number) => number): void {
    const each = new Map(group.map((member, i) => [member, bytes(i)]));
    const mine = each.get(this.#rank) ?? 0;
    this.#exchange(label, new Map([[root, mine]]), this.#rank === root ? each : new Map());
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

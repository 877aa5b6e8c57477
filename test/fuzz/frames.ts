/**
 * Frames for a fuzzer: events that the schemas describe (fast-check), and what becomes of them when values, fields or
 * letters are changed. The same seed gives the same frames.
 */
import fc from 'fast-check';
import { integer, type Random } from '../../actors/core/index.ts';
import { type FuzzedProtocol, REALTIME } from './protocols.ts';
import { valuesOf } from './schema-values.ts';

type Json = Record<string, unknown>;

const POISON: readonly (() => string)[] = [
  () => '['.repeat(5000) + ']'.repeat(5000),
  () => `${'{"a":'.repeat(300)}1${'}'.repeat(300)}`,
  () => '{"length":{"toString":1}}',
  () => '{"size":{"valueOf":1},"type":{"toString":1},"then":1}',
  () => '{"__proto__":{"type":"x"},"constructor":null,"toJSON":1}',
  () => '1e999',
  () => '"\\ud800\\u0000"',
  () => `"${'A'.repeat(3000)}"`,
  () => 'null',
  () => '[]',
  () => '-1',
];

/** Events by the schemas; `count` of them. */
export function eventsOf(seed: number, count: number, { events }: FuzzedProtocol = REALTIME): Json[] {
  const byType = events.map(option => valuesOf(option) as fc.Arbitrary<Json>);
  return fc.sample(fc.oneof(...byType), { seed, numRuns: count });
}

export class FrameSource {
  readonly #random: Random;
  readonly #poolSize: number;
  readonly #protocol: FuzzedProtocol;
  #seed: number;
  #pool: string[] = [];
  #left = 0;

  /**
   * A pool of events is drawn anew after fifty frames for each of its events: drawing one takes longer than handling
   * it.
   */
  constructor(seed: number, random: Random, poolSize = 2000, protocol = REALTIME) {
    this.#seed = seed;
    this.#random = random;
    this.#poolSize = poolSize;
    this.#protocol = protocol;
  }

  next(): string {
    if (this.#left-- <= 0) {
      this.#pool = eventsOf(this.#seed++, this.#poolSize, this.#protocol).map(event => JSON.stringify(event));
      this.#left = 50 * this.#poolSize;
    }
    const text = this.#one(this.#pool);
    const kind = this.#random.next();
    if (kind < 0.45) return text;
    if (kind < 0.75) return this.#withOtherValue(text);
    if (kind < 0.85) return this.#withOtherType(text);
    if (kind < 0.98) return this.#withOtherLetters(text);
    return this.#poison();
  }

  /** One value somewhere becomes another. */
  #withOtherValue(text: string): string {
    const event = JSON.parse(text) as Json;
    let place: Json = event;
    let name = this.#one(Object.keys(place));
    while (this.#random.next() < 0.6) {
      const inner = place[name];
      if (typeof inner !== 'object' || inner === null || Object.keys(inner).length === 0) break;
      place = inner as Json;
      name = this.#one(Object.keys(place));
    }
    if (this.#random.next() < 0.2) {
      delete place[name];
      return JSON.stringify(event);
    }
    const mark = '\u0001mark\u0001';
    place[name] = mark;
    return JSON.stringify(event).replace(JSON.stringify(mark), () => this.#poison());
  }

  #withOtherType(text: string): string {
    return JSON.stringify({ ...(JSON.parse(text) as Json), type: this.#one(this.#protocol.types) });
  }

  #withOtherLetters(text: string): string {
    const at = integer(this.#random, Math.max(1, text.length));
    const kind = integer(this.#random, 4);
    if (kind === 0) return text.slice(0, at);
    if (kind === 1) return text.slice(0, at) + text.slice(at + 1 + integer(this.#random, 8));
    const letter = String.fromCharCode(integer(this.#random, kind === 2 ? 128 : 0x10000));
    return text.slice(0, at) + letter + text.slice(at + 1);
  }

  #poison(): string {
    return this.#one(POISON)();
  }

  #one<T>(list: readonly T[]): T {
    return list[integer(this.#random, list.length)];
  }
}

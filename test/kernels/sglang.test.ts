/** What is said to an SGLang server and read from it (docs/spec/remote.md §1), piece by piece. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tinyDimensions, writeSeededCheckpoint } from '../../kernels/checkpoint/index.ts';
import { Embedder } from '../../kernels/components/language-model/index.ts';
import { referenceOps } from '../../kernels/reference-ops.ts';
import { textPositions } from '../../kernels/engine/index.ts';
import { EventStream } from '../../kernels/engine/sglang/event-stream.ts';
import { PositionLog } from '../../kernels/engine/sglang/position-log.ts';
import { ReplySteps } from '../../kernels/engine/sglang/reply-steps.ts';
import { vectorText } from '../../kernels/engine/sglang/vector-text.ts';
import { WrittenVectors } from '../../kernels/engine/sglang/written-vectors.ts';
import { codeOf } from '../support/code-of.ts';

const LIMITS = { vocabSize: 1000, codeVocabSize: 300 };
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();
const bits = (values: Float32Array) => [...new Uint32Array(values.buffer)];

describe('vectors as text', () => {
  it('are every bfloat16 again, in four digits at most', () => {
    const upper = Uint32Array.from({ length: 1 << 16 }, (_, i) => i << 16);
    const finite = new Float32Array(upper.buffer).filter(value => Number.isFinite(value));
    // What was written first is still the same when all others were.
    vectorText(finite, finite.length, 'bf16');
    const texts: string[] = JSON.parse(
      `[${text(vectorText(finite, finite.length, 'bf16')).replace(/([-\d.e+]+)/g, '"$1"')}]`,
    )[0];
    expect(texts.length).toBe(finite.length);
    const back = Float32Array.from(texts, Number);
    // What comes back is rounded to bfloat16 over there: to nearest, ties to even.
    const rounded = bits(back).map(each => ((each + 0x7fff + ((each >>> 16) & 1)) >>> 16) << 16);
    const wanted = bits(finite);
    expect(rounded.findIndex((each, i) => each >>> 0 !== wanted[i])).toBe(-1);
    const digits = texts.map(
      text =>
        text
          .replace(/e.*$/, '')
          .replace(/^-?0*\.?0*|[-.]/g, '')
          .replace(/0+$/, '').length,
    );
    expect(Math.max(...digits)).toBe(4);
  });

  it('are every float32 again', () => {
    fc.assert(
      fc.property(fc.float32Array({ noNaN: true, noDefaultInfinity: true, minLength: 1 }), values => {
        const rows = JSON.parse(`[${text(vectorText(values, 1, 'f32'))}]`) as number[][];
        expect(bits(Float32Array.from(rows.flat()))).toEqual(bits(values));
      }),
    );
  });

  it('are lists, one a position', () => {
    for (const precision of ['bf16', 'f32'] as const) {
      const rows = JSON.parse(`[${text(vectorText(Float32Array.of(1, -2, 0.5, 4), 2, precision))}]`);
      expect(rows).toEqual([
        [1, -2],
        [0.5, 4],
      ]);
    }
  });

  it('are refused where a number is none', () => {
    const values = Float32Array.of(0, 1, Number.NaN, 2);
    expect(codeOf(() => vectorText(values, 2, 'bf16'))).toBe('sglang.vectors');
    expect(codeOf(() => vectorText(Float32Array.of(Number.POSITIVE_INFINITY), 1, 'f32'))).toBe(
      'sglang.vectors',
    );
  });
});

describe('events', () => {
  it('are whole wherever their bytes are cut', () => {
    const bytes = Buffer.from(
      'data: {"a":"Zürich 1"}\r\n\r\n: still here\n\ndata:{"a":2}\n\ndata: [DONE]\n\ndata: {"a":3}\n\n',
    );
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length)), cuts => {
        const stream = new EventStream(1000);
        const at = [0, ...cuts.sort((a, b) => a - b), bytes.length];
        const events = at.slice(1).flatMap((to, i) => stream.push(bytes.subarray(at[i], to)));
        expect(events).toEqual([{ a: 'Zürich 1' }, { a: 2 }]);
        expect(stream.isDone).toBe(true);
      }),
    );
  });

  it('have a bound, and are JSON', () => {
    expect(codeOf(() => new EventStream(10).push(Buffer.from(`data: ${'x'.repeat(20)}`)))).toBe(
      'sglang.malformed',
    );
    expect(codeOf(() => new EventStream(10).push(Buffer.from('data: {"a":\n')))).toBe('sglang.malformed');
  });
});

describe('steps', () => {
  const texts = [10, 11, -1, -1, 12, 13, -1];
  const codes = texts.map((_, i) => [40 + i, i === 0 ? -1 : 50 + i, 60 + i, 70 + i]);
  const event = (ids: number[], rows: number[][] | undefined, count: number) => ({
    output_ids: ids,
    meta_info: { completion_tokens: count, cached_tokens: 0, finish_reason: null },
    ...(rows && { aux_info: { audio_codes: rows } }),
  });
  const made = (steps: ReplySteps) => Array.from({ length: steps.length }, (_, i) => steps.at(i));

  it('are the same however the lists are written and events are cut', () => {
    const way = fc.constantFrom('cumulative', 'incremental');
    const cutting = fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 7, maxLength: 7 });
    fc.assert(
      fc.property(way, way, cutting, fc.nat(5), fc.nat(2), (ids, rows, sizes, repeated, lag) => {
        const steps = new ReplySteps(LIMITS, true);
        let [from, codesFrom] = [0, 0];
        for (const size of sizes) {
          const to = Math.min(from + size, texts.length);
          const codesTo = to === texts.length ? to : Math.max(codesFrom, to - lag);
          const listed = [
            ...new Array<number>(repeated).fill(999),
            ...texts.slice(ids === 'cumulative' ? 0 : from, to),
          ];
          steps.push(event(listed, codes.slice(rows === 'cumulative' ? 0 : codesFrom, codesTo), to));
          [from, codesFrom] = [to, codesTo];
        }
        expect(made(steps)).toEqual(texts.slice(0, from).map((text, i) => ({ text, codes: codes[i] })));
      }),
    );
  });

  it('need no codes where nothing is spoken, and wait for them where it is', () => {
    const [text, speech] = [new ReplySteps(LIMITS, false), new ReplySteps(LIMITS, true)];
    for (const steps of [text, speech]) steps.push(event(texts, undefined, 7));
    expect([text.length, speech.length]).toEqual([7, 0]);
    expect(text.at(1)).toEqual({ text: 11, codes: [-1, -1, -1, -1] });
  });

  it.each<[string, unknown]>([
    ['no object', 7],
    ['no counts', { output_ids: [1] }],
    ['a count that is none', event([1], [codes[1]], -1)],
    ['a count beyond its ids', event([1], [codes[1]], 2)],
    ['more codes than steps', event([1], codes, 1)],
    ['a step of three codes', event([1], [[1, 2, 3]], 1)],
    ['an id beyond the vocabulary', event([1000], [codes[1]], 1)],
    ['a code beyond its table', event([1], [[300, 1, 1, 1]], 1)],
    ['an id that is none', event(['x' as unknown as number], [codes[1]], 1)],
  ])('are refused where an event has %s', (_, given) => {
    expect(codeOf(() => new ReplySteps(LIMITS, true).push(given))).toBe('sglang.malformed');
  });

  it('say why the server ended them, or what it says instead', () => {
    const steps = new ReplySteps(LIMITS, true);
    steps.push({
      ...event([10], [codes[0]], 1),
      meta_info: { completion_tokens: 1, finish_reason: { type: 'length' } },
    });
    expect(steps.finish).toBe('length');
    expect(codeOf(() => steps.push({ error: { message: 'no' } }))).toBe('sglang.refused');
    expect(codeOf(() => steps.push(event([], [], 0)))).toBe('sglang.malformed');
  });
});

describe('what a sequence holds', () => {
  const pads = { audioPad: 5, imagePad: 6 };
  const noWriter = { expect() {}, forget() {} };
  const step = (text: number) => ({ ...textPositions([text]), rule: 'decode' as const });

  it('is cut anywhere, with the vectors that belong to it, and knows the reply at its end', () => {
    const log = new PositionLog(pads, noWriter);
    const features = Float32Array.of(1, 1, 2, 2);
    log.append({ ...textPositions([1, 5, 2, 5]), features });
    for (const text of [7, 8, 9]) log.append(step(text));
    expect(log.reply().map(({ text }) => text)).toEqual([7, 8, 9]);
    log.truncate(6);
    expect(log.reply().map(({ text }) => text)).toEqual([7, 8]);
    expect(log.upTo(4).map(({ textIds }) => [...textIds])).toEqual([[1, 5, 2, 5]]);
    log.truncate(3);
    expect([log.length, log.reply().length, [...log.upTo(3)[0].features]]).toEqual([3, 0, [1, 1]]);
  });

  it('keeps a generated step whose arrays are used again', () => {
    const log = new PositionLog(pads, noWriter);
    log.append(textPositions([1]));
    const given = step(7);
    log.append(given);
    given.textIds[0] = 8;
    expect(log.reply()[0].text).toBe(7);
  });
});

describe('the text of a context', () => {
  const model = mkdtempSync(join(tmpdir(), 'longcat-rt-sglang-'));
  writeSeededCheckpoint(model, { seed: 1, dimensions: tinyDimensions });
  const embedder = Embedder.load(model, referenceOps);
  rmSync(model, { recursive: true });
  const runs = Array.from({ length: 30 }, (_, i) =>
    textPositions(Array.from({ length: 1 + 3 * i }, (_, n) => 10 + n)),
  );
  const all = (written: WrittenVectors) =>
    runs.map(run => [...written.pieces(run)].map(piece => text(piece)).join());
  const writer = (maxWrittenBytes: number) =>
    new WrittenVectors(embedder, { vectors: 'bf16', maxWrittenBytes });

  it('is the same whether it was kept or is written anew, and never more of it is kept than may be', () => {
    const plain = all(writer(0));
    const whole = JSON.parse(`[${text(vectorText(embedder.vectors(runs[9]), embedder.hidden, 'bf16'))}]`);
    expect(JSON.parse(`[${plain[9]}]`)).toEqual(whole);
    for (const most of [20_000, 1e9]) {
      const written = writer(most);
      for (const run of runs) written.expect(run);
      expect(all(written)).toEqual(plain);
      expect(all(written)).toEqual(plain);
      expect(written.bytes).toBeGreaterThan(0);
      expect(written.bytes).toBeLessThanOrEqual(most);
      for (const run of runs) written.forget(run);
      expect(written.bytes).toBe(0);
    }
  });
});

/**
 * nano over the GPT-Live door: asked to count, interrupted, and asked where it stopped; and over WebRTC, on lines that
 * lose and scatter packets. In virtual time.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRandom, engineOnClock, VirtualClock } from '../../actors/core/index.ts';
import { createRuntime } from '../../actors/index.ts';
import { decodeWav } from '../../cli/media/wav-format.ts';
import { createEngine, type Engine, fastestEngine } from '../../kernels/engine/index.ts';
import { resampled } from '../../cli/media/resampled.ts';
import { CODECS, loadOpus } from '../../protocols/media/index.ts';
import { LiveClient, liveContext } from '../support/live-rig.ts';
import { answersOver } from '../support/lossy-calls.ts';

const BYTES_PER_MS = 32;
const APPEND_MS = 100;

const recording = (name: string): Buffer =>
  CODECS.pcm16.encode(decodeWav(readFileSync(`test/fixtures/talk/${name}.wav`)).channels[0]);
const words = (text: string) => text.toLowerCase().match(/[a-z]+/g) ?? [];

describe('a GPT-Live session with nano', () => {
  let nano: Engine;
  beforeAll(async () => {
    nano = await createEngine({ kind: fastestEngine().kind, modelDirectory: 'models/nano' });
  });
  afterAll(() => nano.close());

  it('is understood, falls silent when the user speaks, and knows how far it was heard', async () => {
    const clock = new VirtualClock();
    const runtime = createRuntime({ engine: engineOnClock(nano, clock), clock, random: createRandom(1) });
    const client = new LiveClient(clock, liveContext(runtime, clock));
    client.start({ audio: { format: { type: 'audio/pcm', rate: 16_000 } } });
    const push = async (bytes: Buffer) => {
      for (let at = 0; at < bytes.length; at += APPEND_MS * BYTES_PER_MS) {
        await client.wait(APPEND_MS);
        const audio = bytes.subarray(at, at + APPEND_MS * BYTES_PER_MS).toString('base64');
        client.send({ type: 'session.input_audio.append', audio });
      }
    };
    const silence = (ms: number) => push(Buffer.alloc(ms * BYTES_PER_MS));
    await silence(400);
    await push(recording('count-to-ten'));
    for (let waitedMs = 0; client.said('output') === '' && waitedMs < 4000; waitedMs += 100)
      await silence(100);
    await silence(2500);
    await push(recording('where-stopped'));
    const counted = client.said('output');
    await silence(5000);

    expect(words(counted).slice(0, 3)).toEqual(['one', 'two', 'three']);
    expect(words(counted).length).toBeLessThan(10);
    const answer = words(client.said('output').slice(counted.length));
    const [said] = runtime.sessions
      .values()
      .next()
      .value!.items.filter(({ role }) => role === 'assistant');
    const kept = said.content[0].type === 'audio' ? words(said.content[0].transcript ?? '') : [];
    // What stays of it is no more than what the client was told, and what the answer tells.
    expect(words(counted).slice(0, kept.length)).toEqual(kept);
    expect(answer).toContain(kept.at(-1));
    expect(words(client.said('input'))).toContain('count');
    expect(client.errors).toEqual([]);
    await runtime.close();
  });

  it('is understood over WebRTC where 3 % of the packets are lost and the rest comes in another order', async () => {
    const clock = new VirtualClock();
    const runtime = createRuntime({ engine: engineOnClock(nano, clock), clock, random: createRandom(1) });
    const turns = decodeWav(readFileSync('test/fixtures/talk/six-turns.wav'));
    const [fromMs, toMs] = [6780, 8140];
    const perMs = turns.sampleRate / 1000;
    const spoken = turns.channels[0].subarray(fromMs * perMs, toMs * perMs);
    const sum = resampled({ samples: spoken, sampleRate: turns.sampleRate }, 24_000);
    const whole = new Float32Array(24 * 400 + sum.length + 24 * 3000);
    whole.set(sum, 24 * 400);
    const deps = { runtime, clock, settings: {}, opus: await loadOpus() };
    for (const copies of ['red', 'opus', 'none'] as const) {
      const line = { loss: 0.03, jitterMs: 120, copies, seed: 1 };
      const answers = await answersOver(line, [whole, whole, whole], deps);
      for (const answer of answers) expect(answer.toLowerCase()).toContain('seven');
    }
    await runtime.close();
  });
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { engineOnClock } from '../../actors/core/index.ts';
import {
  type LanguageModelOutput,
  type LanguageModelPorts,
  languageModelActor,
} from '../../actors/language-model/index.ts';
import { tinyDimensions, writeSeededCheckpoint } from '../../kernels/checkpoint/index.ts';
import { createEngine, type Engine, textPositions } from '../../kernels/engine/index.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import { ActorStage } from '../support/actor-stage.ts';

/** The actor over real arithmetic: what a session says depends on nothing but its own context. */
describe('with the reference engine', () => {
  const directory = mkdtempSync(join(tmpdir(), 'longcat-rt-language-model-'));
  let engine: Engine;

  beforeAll(async () => {
    writeSeededCheckpoint(directory, { seed: 3, dimensions: tinyDimensions });
    engine = await createEngine({ kind: 'reference', modelDirectory: directory, inline: true });
  });

  afterAll(async () => {
    await engine.close();
    rmSync(directory, { recursive: true, force: true });
  });

  async function converse(sessions: readonly string[], prefillTokenBudget: number, failsAt = -1) {
    let steps = 0;
    const languageModel: Engine['languageModel'] = {
      open: () => engine.languageModel.open(),
      close: sequence => engine.languageModel.close(sequence),
      truncate: (sequence, length) => engine.languageModel.truncate(sequence, length),
      step: batch =>
        steps++ === failsAt
          ? Promise.reject(new RuntimeError('engine.failed', 'A scripted failure.'))
          : engine.languageModel.step(batch),
    };
    const stage = new ActorStage<LanguageModelPorts, LanguageModelOutput>(({ clock, system }) =>
      languageModelActor({
        engine: engineOnClock({ ...engine, languageModel }, clock, { languageModel: () => 10 }),
        epochs: system.epochs,
        limits: { maxBatch: 8, prefillTokenBudget },
        records: new Map(),
      }),
    );
    const say = (session: string, itemId: string, text: string) => {
      const positions = textPositions(engine.tokenizer.encode(text));
      stage.send(session, 'context', { type: 'prefill', itemId, role: 'user', positions });
      const options = {
        speech: true,
        maxSteps: 12,
        temperature: 1,
        topK: 8,
        topP: 0.9,
        repetitionPenalty: 1.1,
      };
      stage.send(session, 'context', {
        type: 'generate',
        generationId: `g-${itemId}`,
        itemId: `r-${itemId}`,
        close: textPositions(engine.tokenizer.encode('\n')),
        header: textPositions(engine.tokenizer.encode('VOICE ASSISTANT:')),
        options,
      });
    };
    for (const session of sessions) stage.send(session, 'control', { type: 'open' });
    for (const session of sessions) say(session, 'u1', `USER:I am ${session}, what do you see?`);
    await stage.rest();
    for (const session of sessions) {
      stage.send(session, 'context', { type: 'truncate', itemId: 'r-u1', steps: 5 });
      say(session, 'u2', 'USER:Go on.');
    }
    await stage.rest();
    // Without what was cached, which differs with the company and is not heard.
    return (session: string) =>
      stage.of(session).flatMap(body => (body.type === 'step' ? [{ ...body, input: null }] : []));
  }

  it('a reply is the same alone, in company, in small prefill chunks, and after a failure', async () => {
    const alone = (await converse(['ann'], 256))('ann');
    expect(alone).toHaveLength(24);
    expect((await converse(['bob', 'ann', 'cay'], 256))('ann')).toEqual(alone);
    expect((await converse(['ann', 'bob'], 7))('ann')).toEqual(alone);
    for (const failsAt of [0, 4, 15, 20])
      expect((await converse(['ann', 'bob'], 16, failsAt))('ann')).toEqual(alone);
  });
});

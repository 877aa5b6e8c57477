/**
 * An engine without arithmetic: it answers `step(batch)` after the time that a cost law gives, on devices that the step
 * occupies. Answers have the right shapes; speech is one sample a millisecond, vectors are one number wide.
 */
import type { Engine, ModelDescription } from '../../kernels/engine/index.ts';
import { CALL_TEMPLATE } from './call-script.ts';
import { answerAfter } from './clock-answer.ts';
import { Device } from './device.ts';
import type { ModelledEngineOptions, StageName } from './engine-options.ts';
import { ModelledAudioEncoder, ModelledGanDecoder } from './modelled-codecs.ts';
import { ModelledLanguageModel } from './modelled-language-model.ts';
import { countingTokenizer } from './reply-script.ts';

export interface ModelledEngine extends Engine {
  readonly devices: readonly Device[];
}

const SAMPLES_PER_SECOND = 1000;
const WAIT = 144;

export function modelledEngine(options: ModelledEngineOptions): ModelledEngine {
  const { clock, law, placement, tokensPerPicture, window } = options;
  const devices = options.devices.map(({ name, servers }) => new Device(name, servers, clock, window));
  const on = (stage: StageName): Device => devices.find(({ name }) => name === placement[stage])!;
  const model = describeModel(options);
  return {
    kind: 'modelled',
    model,
    tokenizer: countingTokenizer,
    devices,
    languageModel: new ModelledLanguageModel(model.tokens, options, on('languageModel'), on('prefill')),
    audioEncoder: new ModelledAudioEncoder(clock, law, on('audioEncoder'), model.audioVectorMs),
    visionEncoder: {
      step: batch => {
        const counts = batch.map(({ maxTokens }) =>
          Math.min(maxTokens || tokensPerPicture, tokensPerPicture),
        );
        const tokens = counts.reduce((sum, count) => sum + count, 0);
        const costMs = law.visionEncoderMs(batch.length, tokens);
        const doneMs = on('visionEncoder').occupy(costMs, 'vision encoding', batch.length);
        return answerAfter(clock, doneMs, () =>
          counts.map(count => ({ vectors: new Float32Array(count), count, grid: [1, count] as const })),
        );
      },
    },
    speechTokenizer: {
      step: batch => {
        const frames = batch.map(({ samples }) => Math.ceil(samples.length / model.codeFrameMs));
        const audioMs = batch.reduce((sum, { samples }) => sum + samples.length, 0);
        const costMs = law.speechTokenizerMs(batch.length, audioMs);
        const doneMs = on('speechTokenizer').occupy(costMs, 'speech tokenizing', batch.length);
        return answerAfter(clock, doneMs, () =>
          frames.map(count => ({ frames: count, codes: new Int32Array(count * 4) })),
        );
      },
    },
    ganDecoder: new ModelledGanDecoder(clock, law, on('ganDecoder'), model),
    close: async () => {},
  };
}

/**
 * docs/spec/model.md §1.1, §1.10 for the ids; rates of one sample a millisecond, because nobody listens to the
 * waveform.
 */
function describeModel({ judges, maxPositions, replies, speech }: ModelledEngineOptions): ModelDescription {
  return {
    name: 'modelled',
    hiddenSize: 1,
    vocabSize: 131_072,
    codeVocabSize: 8224,
    maxPositions,
    tokens: {
      bos: 1,
      eos: 2,
      pad: 3,
      audioBegin: 134,
      audioEnd: 135,
      audioPad: 136,
      imagePad: 142,
      pause: 137,
      wait: judges ? WAIT : null,
    },
    inputSampleRate: SAMPLES_PER_SECOND,
    outputSampleRate: SAMPLES_PER_SECOND,
    samplesPerCodeFrame: (speech.frameMs * SAMPLES_PER_SECOND) / 1000,
    audioVectorMs: 80,
    firstAudioVectorMs: 80,
    codeFrameMs: speech.frameMs,
    decoderLookaheadFrames: speech.lookAheadFrames,
    ...(replies.calls && { toolTemplate: CALL_TEMPLATE }),
  };
}

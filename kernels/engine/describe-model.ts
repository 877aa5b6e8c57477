import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { readAudioEncoderConfig } from '../components/audio-encoder/config.ts';
import { readGanDecoderConfig } from '../components/codec-config.ts';
import { readLanguageModelConfig } from '../components/language-model/index.ts';
import { readVisionConfig } from '../components/vision-encoder/index.ts';
import { readSpecialTokens, readToolTemplate } from '../tokenizer/index.ts';
import { openWeightFile } from '../weights/index.ts';
import type { ModelDescription } from './engine.ts';

/** Of the 24 kHz codec and the FSMN encoder (docs/spec/model.md §3, §4); not written in any configuration. */
const OUTPUT_SAMPLE_RATE = 24_000;
const INPUT_SAMPLE_RATE = 16_000;
const AUDIO_VECTOR_MS = 80;
const CODE_FRAME_MS = 60;
const DECODER_LOOKAHEAD_FRAMES = 3;

/**
 * What the actors need to know of the model in a directory (docs/spec/model.md §11). @throws RuntimeError `config.*`
 */
export function describeModel(directory: string): ModelDescription {
  const { hidden, vocabSize, maxPositions } = readLanguageModelConfig(directory);
  return {
    name: basename(resolve(directory)),
    hiddenSize: hidden,
    vocabSize,
    codeVocabSize: codeVocabSize(directory),
    maxPositions,
    tokens: readSpecialTokens(directory),
    inputSampleRate: INPUT_SAMPLE_RATE,
    outputSampleRate: OUTPUT_SAMPLE_RATE,
    samplesPerCodeFrame: samplesPerCodeFrame(directory),
    audioVectorMs: AUDIO_VECTOR_MS,
    codeFrameMs: CODE_FRAME_MS,
    decoderLookaheadFrames: DECODER_LOOKAHEAD_FRAMES,
    ...describeHearing(directory),
    maxPicturePixels: maxPicturePixels(directory),
    toolTemplate: readToolTemplate(directory),
  };
}

function describeHearing(directory: string): Pick<ModelDescription, 'firstAudioVectorMs' | 'hearsWords'> {
  const audio = join(directory, 'audio');
  if (!existsSync(join(audio, 'config.json'))) return { hearsWords: false };
  const { network, fbank, splice } = readAudioEncoderConfig(directory);
  const hearsWords = network.ctc_words !== undefined;
  if (splice.stride * fbank.frameShiftMs !== AUDIO_VECTOR_MS) return { hearsWords };
  return { hearsWords, firstAudioVectorMs: fbank.frameLengthMs + splice.right * fbank.frameShiftMs };
}

function maxPicturePixels(directory: string): number {
  const path = join(directory, 'vision', 'config.json');
  if (!existsSync(path)) return 0;
  const { patch, still, pair } = readVisionConfig(directory);
  return Math.max(still.max, pair.max) * patch ** 2;
}

/** 0 in a text-only model. */
function codeVocabSize(directory: string): number {
  const path = join(directory, 'audio', 'audio_embeddings.safetensors');
  if (!existsSync(path)) return 0;
  const weights = openWeightFile(path);
  try {
    return weights.shapeOf('audio_embeddings.0.weight')[0];
  } finally {
    weights.close();
  }
}

function samplesPerCodeFrame(directory: string): number {
  const codec = join(directory, 'audio_codec');
  if (!existsSync(join(codec, 'config.json'))) return (OUTPUT_SAMPLE_RATE * CODE_FRAME_MS) / 1000;
  return readGanDecoderConfig(directory).codec_dec_ratios.reduce((product, ratio) => product * ratio, 1);
}

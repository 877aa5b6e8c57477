/** How long an engine step occupies its device. */
export interface CostLaw {
  languageModel(load: LanguageModelLoad): LanguageModelCost;
  /** Audio of the batch in ms, over this many streams. */
  audioEncoderMs(streams: number, audioMs: number): number;
  visionEncoderMs(units: number, tokens: number): number;
  speechTokenizerMs(utterances: number, audioMs: number): number;
  /** Code frames of the batch, over this many streams. */
  ganDecoderMs(streams: number, frames: number): number;
}

export interface LanguageModelLoad {
  /** Sequences that append one generated step. */
  readonly decodes: number;
  /** Cached positions of those sequences, summed. */
  readonly decodeContext: number;
  /** Positions that are appended otherwise. */
  readonly prefillPositions: number;
  /** Cached positions that each prefilled position attends to, on average. */
  readonly prefillContext: number;
  /** Sequences that begin a reply. */
  readonly begins?: number;
}

export interface LanguageModelCost {
  readonly decodeMs: number;
  readonly prefillMs: number;
  /** Moving the prefilled keys and values where decoding happens; matters where that is another device. */
  readonly transferMs: number;
}

/** Linear in what is worked on: the shape of constants for teaching and of measured profiles. */
export interface LinearCosts {
  readonly languageModel: {
    readonly stepMs: number;
    readonly perDecodeMs: number;
    readonly perPrefillPositionMs: number;
    readonly perContextPositionMs: number;
  };
  readonly audioEncoder: { readonly stepMs: number; readonly perSecondMs: number };
  readonly visionEncoder: { readonly stepMs: number; readonly perTokenMs: number };
  readonly speechTokenizer: { readonly stepMs: number; readonly perSecondMs: number };
  readonly ganDecoder: { readonly stepMs: number; readonly perFrameMs: number };
}

export function linearLaw(costs: LinearCosts): CostLaw {
  const { languageModel, audioEncoder, visionEncoder, speechTokenizer, ganDecoder } = costs;
  return {
    languageModel: ({ decodes, decodeContext, prefillPositions, prefillContext }) => {
      const { stepMs, perDecodeMs, perPrefillPositionMs, perContextPositionMs } = languageModel;
      const decodeMs =
        decodes > 0 ? stepMs + decodes * perDecodeMs + decodeContext * perContextPositionMs : 0;
      const startMs = decodes > 0 || prefillPositions === 0 ? 0 : stepMs;
      const attentionMs = prefillPositions > 0 ? prefillContext * perContextPositionMs : 0;
      return {
        decodeMs,
        prefillMs: startMs + prefillPositions * perPrefillPositionMs + attentionMs,
        transferMs: 0,
      };
    },
    audioEncoderMs: (_streams, audioMs) => audioEncoder.stepMs + (audioMs / 1000) * audioEncoder.perSecondMs,
    visionEncoderMs: (_units, tokens) => visionEncoder.stepMs + tokens * visionEncoder.perTokenMs,
    speechTokenizerMs: (_utterances, audioMs) =>
      speechTokenizer.stepMs + (audioMs / 1000) * speechTokenizer.perSecondMs,
    ganDecoderMs: (_streams, frames) => ganDecoder.stepMs + frames * ganDecoder.perFrameMs,
  };
}

/** What the shared actors answer to a session, each to the side that waits for it. */
import { RuntimeError } from '../../kernels/errors.ts';
import type { AudioEncoderOutput } from '../audio-encoder/index.ts';
import type { Envelope } from '../core/message.ts';
import type { GanDecoderOutput } from '../gan-decoder/index.ts';
import type { LanguageModelOutput } from '../language-model/index.ts';
import type { SessionEvent } from '../session-api.ts';
import type { VisionEncoderOutput } from '../vision-encoder/index.ts';
import type { Conversation } from './conversation.ts';
import type { Items } from './items.ts';
import { ITEMS_SUFFIX, type Line } from './line.ts';
import type { Turns } from './turns.ts';

export interface AnswersDeps {
  readonly line: Line;
  readonly conversation: Conversation;
  readonly items: Items;
  readonly turns: Turns;
  readonly emit: (event: SessionEvent) => void;
  /** Runs to completion; a failure ends the session. */
  readonly enter: <T>(action: (given: T) => void, given: T) => void;
}

export class Answers {
  readonly #deps: AnswersDeps;

  constructor(deps: AnswersDeps) {
    this.#deps = deps;
  }

  fromAudioEncoder(message: Envelope<AudioEncoderOutput>): void {
    this.#deps.enter(this.#audioEncoder, message);
  }

  fromVisionEncoder(message: Envelope<VisionEncoderOutput>): void {
    this.#deps.enter(this.#visionEncoder, message);
  }

  fromLanguageModel(message: Envelope<LanguageModelOutput>): void {
    this.#deps.enter(this.#languageModel, message);
  }

  fromGanDecoder(message: Envelope<GanDecoderOutput>): void {
    this.#deps.enter(this.#ganDecoder, message);
  }

  readonly #audioEncoder = ({ session, body }: Envelope<AudioEncoderOutput>): void => {
    const { items, line, turns } = this.#deps;
    if (body.type === 'failed') throw new RuntimeError(body.code, body.message);
    if (session.endsWith(ITEMS_SUFFIX)) items.writer.recording(body);
    else {
      turns.listening.fromAudioEncoder(body);
      line.utterances.answered(body);
    }
  };

  readonly #visionEncoder = ({ body }: Envelope<VisionEncoderOutput>): void => {
    const { emit, items, turns } = this.#deps;
    if (body.type === 'failed') emit({ type: 'error', code: body.code, message: body.message, fatal: false });
    if (!items.writer.picture(body)) turns.listening.fromVisionEncoder(body);
  };

  readonly #languageModel = (message: Envelope<LanguageModelOutput>): void => {
    const { conversation, emit, items, turns } = this.#deps;
    const { body } = message;
    if (body.type === 'step') turns.speaking.step(message, body);
    else if (body.type === 'ended') turns.speaking.ended(message, body);
    else if (body.type === 'dropped') {
      for (const itemId of body.itemIds) conversation.leftContext(itemId);
      const itemIds = body.itemIds.filter(itemId => conversation.find(itemId));
      if (itemIds.length > 0) emit({ type: 'context.dropped', itemIds });
    } else if (body.type === 'refused') items.refused(body);
    else if (body.type === 'failed') {
      if (body.fatal) throw new RuntimeError(body.code, body.message);
      emit({ type: 'error', code: body.code, message: body.message, fatal: false });
    }
  };

  readonly #ganDecoder = (message: Envelope<GanDecoderOutput>): void => {
    this.#deps.turns.speaking.fromGanDecoder(message);
  };
}

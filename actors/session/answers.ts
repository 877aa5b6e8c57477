/** What the shared actors answer to a session, each to the side that waits for it. */
import { RuntimeError } from '../../kernels/errors.ts';
import type { AudioEncoderOutput } from '../audio-encoder/index.ts';
import type { Envelope } from '../core/message.ts';
import type { GanDecoderOutput } from '../gan-decoder/index.ts';
import type { LanguageModelOutput } from '../language-model/index.ts';
import type { SessionEvent } from '../session-api.ts';
import type { SpeechTokenizerOutput } from '../speech-tokenizer/index.ts';
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
  readonly enter: (action: () => void) => void;
}

export class Answers {
  readonly #deps: AnswersDeps;

  constructor(deps: AnswersDeps) {
    this.#deps = deps;
  }

  fromAudioEncoder({ session, body }: Envelope<AudioEncoderOutput>): void {
    const { enter, items, line, turns } = this.#deps;
    enter(() => {
      if (body.type === 'failed') throw new RuntimeError(body.code, body.message);
      if (session.endsWith(ITEMS_SUFFIX)) items.writer.recording(body);
      else {
        turns.listening.fromAudioEncoder(body);
        line.utterances.answered(body);
      }
    });
  }

  fromVisionEncoder({ body }: Envelope<VisionEncoderOutput>): void {
    const { emit, enter, items, turns } = this.#deps;
    enter(() => {
      if (body.type === 'failed')
        emit({ type: 'error', code: body.code, message: body.message, fatal: false });
      if (!items.writer.picture(body)) turns.listening.fromVisionEncoder(body);
    });
  }

  fromLanguageModel(message: Envelope<LanguageModelOutput>): void {
    const { conversation, emit, enter, turns } = this.#deps;
    enter(() => {
      const { body } = message;
      if (body.type === 'step' || body.type === 'ended') {
        turns.speaking.fromLanguageModel({ ...message, body });
      } else if (body.type === 'dropped') {
        for (const itemId of body.itemIds) conversation.leftContext(itemId);
      } else if (body.type === 'failed') {
        if (body.fatal) throw new RuntimeError(body.code, body.message);
        emit({ type: 'error', code: body.code, message: body.message, fatal: false });
      }
    });
  }

  fromSpeechTokenizer(message: Envelope<SpeechTokenizerOutput>): void {
    const { enter, line } = this.#deps;
    const { body } = message;
    if ((body.type !== 'frame' && body.type !== 'end') || line.isStale(message)) return;
    enter(() => line.ganDecoder('frames', body, message));
  }

  fromGanDecoder(message: Envelope<GanDecoderOutput>): void {
    const { enter, turns } = this.#deps;
    enter(() => turns.speaking.fromGanDecoder(message));
  }
}

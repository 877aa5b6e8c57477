/** Our own events beside the protocol's (README.md, Extensions). */
import type { Session, SessionEvent, TurnTrace } from '../../actors/session-api.ts';
import type { PictureDecoder, PictureOptions } from './pictures.ts';
import type { PlainEvent } from './plain-events.ts';

export function toExtensionEvent(event: SessionEvent): PlainEvent | null {
  switch (event.type) {
    case 'state':
      return { type: 'longcat.state', fields: { state: event.state, at_ms: event.atMs } };
    case 'duck':
      return { type: 'longcat.duck', fields: { gain_db: event.gainDb } };
    case 'playout.clear':
      return { type: 'longcat.playout.clear', fields: { item_id: event.itemId } };
    case 'context.dropped':
      return { type: 'longcat.context.dropped', fields: { item_ids: event.itemIds } };
    case 'context.summarised':
      return { type: 'longcat.context.summarised', fields: { text: event.text } };
    case 'turn.trace':
      return { type: 'longcat.turn.trace', fields: { trace: wireTrace(event.trace) } };
    default:
      return null;
  }
}

export function wireTrace(trace: TurnTrace) {
  const { timeline, waterfall } = trace;
  return {
    turn: trace.turn,
    text: trace.text,
    user_transcript: trace.userTranscript,
    timeline: {
      speech_start: timeline.speechStart,
      speech_end: timeline.speechEnd,
      speculate: timeline.speculate,
      endpoint: timeline.endpoint,
      first_audio: timeline.firstAudio,
      end: timeline.end,
    },
    waterfall: waterfall && { turn: waterfall.turn, entries: waterfall.entries, total_ms: waterfall.totalMs },
    interrupted: trace.interrupted,
    heard_ms: trace.heardMs,
    speculations: trace.speculations,
    rollbacks: trace.rollbacks,
  };
}

export interface VideoFrame {
  readonly image: string;
  readonly captured_at_ms?: number;
}

/**
 * Hands on the pictures of a live stream, one at a time; of those that wait, only the newest survives. They are
 * unpacked where the model looks at them.
 */
export class VideoIntake {
  readonly #session: Session;
  readonly #pictures: PictureDecoder;
  readonly #options: PictureOptions;
  #busy = false;
  #next: { readonly frame: VideoFrame; readonly onError: (error: unknown) => void } | null = null;

  constructor(session: Session, pictures: PictureDecoder, isWanted: () => boolean) {
    this.#session = session;
    pictures.prepare();
    this.#pictures = pictures;
    this.#options = { allowBareBase64: true, isWanted };
  }

  push(frame: VideoFrame, onError: (error: unknown) => void): void {
    this.#next = { frame, onError };
    if (!this.#busy) void this.#run();
  }

  async #run(): Promise<void> {
    this.#busy = true;
    for (let work = this.#next; work !== null; work = this.#next) {
      this.#next = null;
      try {
        const image = await this.#pictures.file(work.frame.image, 'image', this.#options);
        const { captured_at_ms: capturedAtMs } = work.frame;
        this.#session.send({ type: 'picture', image, ...(capturedAtMs !== undefined && { capturedAtMs }) });
      } catch (error) {
        work.onError(error);
      }
    }
    this.#busy = false;
  }
}

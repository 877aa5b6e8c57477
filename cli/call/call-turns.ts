import type { WireEvent } from './line.ts';

/** A transcript may come after the answer; it is not waited for longer than this. */
const TRANSCRIPT_WAIT_MS = 3000;

/** One turn as the caller's side saw it; times are milliseconds since the call began. */
export interface CallTurn {
  readonly turn: number;
  readonly userTranscript: string | null;
  readonly text: string;
  readonly speechStartMs: number | null;
  readonly speechEndMs: number | null;
  readonly firstAudioMs: number | null;
  readonly endMs: number | null;
  /**
   * From where the server ended the turn, which is after the last word, to the first sound that came, with the way
   * there and back.
   */
  readonly latencyMs: number | null;
  readonly heardMs: number;
  readonly interrupted: boolean;
  /** `completed`, or what else the server called it. */
  readonly status: string | null;
}

type OpenTurn = { -readonly [K in keyof CallTurn]: CallTurn[K] } & {
  userItem: string | null;
  doneAtMs: number | null;
};

/** Puts the events of the protocol together to turns. */
export class CallTurns {
  readonly #startedAtMs: number;
  readonly #open: OpenTurn[] = [];
  #count = 0;
  #samples = 0;

  constructor(startedAtMs: number) {
    this.#startedAtMs = startedAtMs;
  }

  get count(): number {
    return this.#count;
  }

  on(event: WireEvent, nowMs: number): void {
    const atMs = Math.round(nowMs - this.#startedAtMs);
    const newest = this.#open.at(-1);
    if (event.type === 'input_audio_buffer.speech_started') {
      // Somebody who goes on after a pause is still in the same turn.
      const isNew = !newest || newest.firstAudioMs !== null || newest.doneAtMs !== null;
      const turn = isNew ? this.#begin() : newest;
      turn.userItem = String(event.item_id);
      turn.speechStartMs ??= Number(event.audio_start_ms);
    } else if (event.type === 'input_audio_buffer.speech_stopped') {
      if (newest) newest.speechEndMs = Number(event.audio_end_ms);
    } else if (event.type.startsWith('conversation.item.input_audio_transcription.')) {
      this.#transcript(event);
    } else if (event.type === 'response.created') {
      this.#samples = 0;
      // An answer that nobody asked for with a word begins a turn too.
      if (!newest || newest.doneAtMs !== null) this.#begin();
    } else if (newest) {
      this.#answer(newest, event, nowMs, atMs);
    }
  }

  /** What was heard of the answer that plays. */
  heard(heardMs: number): void {
    const turn = this.#answering();
    if (turn) turn.heardMs = heardMs;
  }

  interrupted(heardMs: number): void {
    const turn = this.#answering();
    if (!turn) return;
    turn.heardMs = heardMs;
    turn.interrupted = true;
  }

  /** Turns whose answer is over and heard, with their transcripts if those came in time. */
  over(nowMs: number, isSilent: boolean): CallTurn[] {
    const done: CallTurn[] = [];
    for (;;) {
      const [turn, next] = this.#open;
      if (!turn || turn.doneAtMs === null) return done;
      if (!isSilent && !turn.interrupted && !next) return done;
      if (turn.userItem && turn.userTranscript === null && nowMs - turn.doneAtMs < TRANSCRIPT_WAIT_MS)
        return done;
      done.push(closed(this.#open.shift()!, nowMs - this.#startedAtMs));
    }
  }

  /** The line goes down: all that is known. */
  rest(): CallTurn[] {
    return this.#open.splice(0).map(turn => closed(turn, null));
  }

  #begin(): OpenTurn {
    const turn: OpenTurn = {
      turn: ++this.#count,
      userTranscript: null,
      text: '',
      speechStartMs: null,
      speechEndMs: null,
      firstAudioMs: null,
      endMs: null,
      latencyMs: null,
      heardMs: 0,
      interrupted: false,
      status: null,
      userItem: null,
      doneAtMs: null,
    };
    this.#open.push(turn);
    return turn;
  }

  /** The newest with sound: the person may already be in the next one. */
  #answering(): OpenTurn | undefined {
    return this.#open.findLast(turn => turn.firstAudioMs !== null);
  }

  #transcript(event: WireEvent): void {
    const turn = this.#open.find(({ userItem }) => userItem === event.item_id);
    if (!turn) return;
    if (event.type.endsWith('.completed')) turn.userTranscript = String(event.transcript ?? '');
    if (event.type.endsWith('.failed')) turn.userTranscript = '';
  }

  #answer(newest: OpenTurn, event: WireEvent, nowMs: number, atMs: number): void {
    switch (event.type) {
      case 'response.output_audio_transcript.delta':
      case 'response.audio_transcript.delta':
      case 'response.output_text.delta':
      case 'response.text.delta':
        newest.text += String(event.delta);
        break;
      case 'response.output_audio.delta':
      case 'response.audio.delta': {
        if (newest.firstAudioMs === null) {
          newest.firstAudioMs = atMs;
          if (newest.speechEndMs !== null) newest.latencyMs = Math.max(0, atMs - newest.speechEndMs);
        }
        this.#samples += Math.floor((String(event.delta).length * 3) / 4 / 2);
        newest.heardMs = Math.round(this.#samples / 24);
        break;
      }
      case 'response.done': {
        newest.doneAtMs = nowMs;
        newest.status = (event.response as { status?: string } | undefined)?.status ?? null;
        break;
      }
    }
  }
}

function closed({ userItem: _item, doneAtMs: _done, ...turn }: OpenTurn, endMs: number | null): CallTurn {
  return { ...turn, endMs: endMs === null ? null : Math.round(endMs) };
}

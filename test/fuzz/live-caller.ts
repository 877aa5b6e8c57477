/**
 * What a caller does who talks while a fuzzer has its way with the rest: speech and pauses that become turns,
 * interruptions of what is being said, and everything that can be done to items and responses that exist, in any order.
 */
import { integer, type Random } from '../../actors/core/index.ts';
import { pcm16, voice } from '../support/voice.ts';

const RATE_HZ = 24_000;
const APPEND_MS = 100;
/** Ids that a caller remembers of each kind. */
const MAX_IDS = 12;

const SPEECH = appendsOf(pcm16(voice(3000, RATE_HZ)));
const SILENCE = appendsOf(Buffer.alloc((2 * RATE_HZ * APPEND_MS) / 1000))[0];

function appendsOf(bytes: Buffer): string[] {
  const size = (2 * RATE_HZ * APPEND_MS) / 1000;
  return Array.from({ length: Math.floor(bytes.length / size) }, (_, n) =>
    JSON.stringify({
      type: 'input_audio_buffer.append',
      audio: bytes.subarray(n * size, (n + 1) * size).toString('base64'),
    }),
  );
}

/** Turns of its own, whatever was set before: those of a caller who is heard. */
function listening(random: Random): object {
  const turn_detection = {
    type: 'server_vad',
    silence_duration_ms: 200 + integer(random, 400),
    interrupt_response: random.next() < 0.8,
    create_response: random.next() < 0.9,
  };
  return {
    type: 'session.update',
    session: {
      type: 'realtime',
      audio: { input: { format: { type: 'audio/pcm', rate: RATE_HZ }, turn_detection } },
      longcat: { extensions: true },
    },
  };
}

export class LiveCaller {
  readonly #random: Random;
  #speechLeft = 0;
  #silenceLeft = 0;
  #at = 0;
  readonly #items: string[] = [];
  readonly #responses: string[] = [];
  /** Turns that were heard, and replies that began. */
  turns = 0;
  replies = 0;
  interrupted = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** A frame of the server's. */
  receive(text: string): void {
    if (text.startsWith('{"type":"conversation.item.added"'))
      this.#keep(this.#items, /"id":"([^"]+)"/.exec(text.slice(60)));
    else if (text.startsWith('{"type":"response.created"')) {
      this.replies++;
      this.#keep(this.#responses, /"id":"(resp[^"]+)"/.exec(text));
    } else if (text.startsWith('{"type":"input_audio_buffer.committed"')) this.turns++;
    else if (text.startsWith('{"type":"response.done"') && text.includes('"turn_detected"'))
      this.interrupted++;
  }

  next(): string {
    const kind = this.#random.next();
    if (kind < 0.72) return this.#sound();
    return JSON.stringify(kind < 0.74 ? listening(this.#random) : this.#act());
  }

  begin(): string {
    return JSON.stringify(listening(this.#random));
  }

  #sound(): string {
    if (this.#speechLeft === 0 && this.#silenceLeft === 0) {
      this.#speechLeft = 2 + integer(this.#random, 14);
      this.#silenceLeft = 2 + integer(this.#random, 12);
      this.#at = integer(this.#random, SPEECH.length);
    }
    if (this.#speechLeft > 0) {
      this.#speechLeft--;
      return SPEECH[this.#at++ % SPEECH.length];
    }
    this.#silenceLeft--;
    return SILENCE;
  }

  #act(): object {
    const random = this.#random;
    const item_id = this.#one(this.#items);
    const acts: (() => object)[] = [
      () => ({
        type: 'conversation.item.truncate',
        item_id,
        content_index: 0,
        audio_end_ms: integer(random, 2500),
      }),
      () => ({
        type: 'conversation.item.truncate',
        item_id,
        content_index: 0,
        audio_end_ms: integer(random, 300),
      }),
      () => ({ type: 'longcat.playback.report', item_id, heard_ms: integer(random, 2500) }),
      () => ({ type: 'conversation.item.delete', item_id }),
      () => ({ type: 'conversation.item.retrieve', item_id }),
      () => ({ type: 'conversation.item.create', previous_item_id: item_id, item: message('Hello.') }),
      () => ({ type: 'conversation.item.create', item: message('Count to ten.') }),
      () => ({ type: 'response.cancel', response_id: this.#one(this.#responses) }),
      () => ({ type: 'response.cancel' }),
      () => ({ type: 'response.create' }),
      () => ({ type: 'response.create', response: { conversation: 'none', output_modalities: ['text'] } }),
      () => ({ type: 'input_audio_buffer.commit' }),
      () => ({ type: 'input_audio_buffer.clear' }),
      () => ({
        type: 'session.update',
        session: { type: 'realtime', audio: { input: { turn_detection: null } } },
      }),
      () => ({
        type: 'session.update',
        session: { type: 'realtime', audio: { output: { speed: 0.25 + random.next() } } },
      }),
    ];
    return acts[integer(random, acts.length)]();
  }

  #keep(ids: string[], found: RegExpExecArray | null): void {
    if (!found) return;
    ids.push(found[1]);
    if (ids.length > MAX_IDS) ids.shift();
  }

  #one(ids: readonly string[]): string {
    return ids.length > 0 ? ids[integer(this.#random, ids.length)] : 'item_none';
  }
}

const message = (text: string) => ({
  type: 'message',
  role: 'user',
  content: [{ type: 'input_text', text }],
});

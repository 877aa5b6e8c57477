/**
 * The callers of bench/runtime-overhead.ts, in a process of their own: each speaks, falls silent, waits for the reply
 * and speaks again, in real time, 20 ms a frame. Prints one JSON array of turns on stdout.
 */
import { WebSocket } from 'ws';
import { pcm16, voice } from '../../test/support/voice.ts';

const FRAME_MS = 20;
/** First turns of each caller that are not counted: both processes are still being compiled. */
const WARM_UP_TURNS = 3;
const SPEECH_MS = 400;
/** The server's 24 → 16 kHz resampler holds this much back, so a frame counts as heard once the next one is there. */
const RESAMPLER_DELAY_MS = 4;
const SILENCE = append(new Float32Array(24 * FRAME_MS));
const SPEECH = frames(voice(SPEECH_MS, 24_000));

export interface MeasuredTurn {
  /** From sending the append that completes the endpoint's frame to receiving the first audio delta. */
  readonly replyMs: number;
  /**
   * From sending an event that does nothing to receiving its error, while all others talk on: transport and JSON alone.
   */
  readonly floorMs: number;
}

function frames(samples: Float32Array): string[] {
  const size = 24 * FRAME_MS;
  return Array.from({ length: samples.length / size }, (_, n) =>
    append(samples.subarray(n * size, (n + 1) * size)),
  );
}

/** Written once, so that the callers' own JSON takes no time from the server's. */
function append(samples: Float32Array): string {
  return JSON.stringify({ type: 'input_audio_buffer.append', audio: pcm16(samples).toString('base64') });
}

interface WireEvent {
  readonly type: string;
  readonly audio_end_ms?: number;
  readonly delta?: string;
}

class Caller {
  readonly turns: MeasuredTurn[] = [];
  readonly #socket: WebSocket;
  readonly #wanted: number;
  readonly #onDone: () => void;
  /** When each append was sent, by its number since the connection opened. */
  readonly #sentAt: number[] = [];
  #startMs = Number.POSITIVE_INFINITY;
  #done = false;
  #speech: string[] = [];
  #endpointAppend = -1;
  #cancelSentAt = 0;
  #floorMs = 0;
  #replyMs = -1;
  #playedUntil = 0;

  constructor(url: string, wanted: number, onDone: () => void) {
    this.#wanted = wanted;
    this.#onDone = onDone;
    this.#socket = new WebSocket(url, { perMessageDeflate: false });
    this.#socket.on('open', () => this.#begin());
    this.#socket.on('message', data => this.#receive(data.toString()));
    this.#socket.on('error', error => fail(error.message));
  }

  #begin(): void {
    this.#startMs = performance.now() + Math.random() * 1000;
    this.#playedUntil = this.#startMs;
  }

  /** Sends the frames that are due. */
  speak(): void {
    if (this.#done) return;
    while (this.#startMs + this.#sentAt.length * FRAME_MS <= performance.now()) this.#frame();
    if (this.turns.length < this.#wanted) return;
    this.#done = true;
    this.#socket.close(1000, 'OK');
    this.#onDone();
  }

  #frame(): void {
    const isQuiet =
      this.#speech.length === 0 && this.#endpointAppend < 0 && performance.now() > this.#playedUntil;
    if (isQuiet) this.#startTurn();
    const audio = this.#speech.shift() ?? SILENCE;
    this.#sentAt.push(performance.now());
    this.#socket.send(audio);
  }

  #startTurn(): void {
    this.#speech = [...SPEECH];
    this.#endpointAppend = 0;
    this.#replyMs = -1;
    this.#cancelSentAt = performance.now();
    this.#socket.send(JSON.stringify({ type: 'response.cancel' }));
  }

  #receive(text: string): void {
    const atMs = performance.now();
    const event = JSON.parse(text) as WireEvent;
    if (event.type === 'error' && this.#cancelSentAt > 0) {
      this.#floorMs = atMs - this.#cancelSentAt;
      this.#cancelSentAt = 0;
    } else if (event.type === 'input_audio_buffer.speech_stopped') {
      this.#endpointAppend = Math.ceil((event.audio_end_ms! + RESAMPLER_DELAY_MS) / FRAME_MS) - 1;
    } else if (event.type === 'response.output_audio.delta') {
      if (this.#replyMs < 0) {
        this.#replyMs = atMs - this.#sentAt[this.#endpointAppend];
        this.#playedUntil = atMs;
      }
      this.#playedUntil += Buffer.byteLength(event.delta!, 'base64') / 48;
    } else if (event.type === 'response.done') {
      this.turns.push({ replyMs: this.#replyMs, floorMs: this.#floorMs });
      this.#playedUntil += 300;
      this.#endpointAppend = -1;
    }
  }
}

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}

const [url, sessions, turns] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
let running = sessions;
const callers = Array.from(
  { length: sessions },
  () => new Caller(url, WARM_UP_TURNS + Math.ceil(turns / sessions), finished),
);

/**
 * As fine as timers go: callers are no choir, and a packet that waits for others to be sent would be counted as ours.
 */
const GRAIN_MS = 1;
const timer = setInterval(() => {
  for (const caller of callers) caller.speak();
}, GRAIN_MS);

function finished(): void {
  running -= 1;
  if (running > 0) return;
  clearInterval(timer);
  process.stdout.write(JSON.stringify(callers.flatMap(caller => caller.turns.slice(WARM_UP_TURNS))));
}

/**
 * The callers of bench/runtime-overhead.ts, in a process of their own: each speaks, falls silent, waits for the reply and
 * speaks again, in real time, 20 ms a frame. Prints one JSON array of turns on stdout.
 */
import { WebSocket } from 'ws';
import { pcm16, voice } from '../../test/support/voice.ts';

const FRAME_MS = 20;
/** First turns of each caller that are not counted: both processes are still being compiled. */
const WARM_UP_TURNS = 3;
const SPEECH_MS = 400;
/** The server's 24 → 16 kHz resampler holds this much back, so a frame counts as heard once the next one is there. */
const RESAMPLER_DELAY_MS = 4;
const SILENCE = pcm16(new Float32Array(24 * FRAME_MS)).toString('base64');
const SPEECH = frames(voice(SPEECH_MS, 24_000));

export interface MeasuredTurn {
  /** From sending the append that completes the endpoint's frame to receiving the first audio delta. */
  readonly replyMs: number;
  /** From sending an event that does nothing to receiving its error, while all others talk on: transport and JSON alone. */
  readonly floorMs: number;
}

function frames(samples: Float32Array): string[] {
  const size = 24 * FRAME_MS;
  return Array.from({ length: samples.length / size }, (_, n) =>
    pcm16(samples.subarray(n * size, (n + 1) * size)).toString('base64'),
  );
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
    const startMs = performance.now() + Math.random() * 1000;
    let sent = 0;
    this.#playedUntil = startMs;
    const timer = setInterval(() => {
      for (; startMs + sent * FRAME_MS <= performance.now(); sent++) this.#frame();
      if (this.turns.length < this.#wanted) return;
      clearInterval(timer);
      this.#socket.close(1000, 'OK');
      this.#onDone();
    }, 5);
  }

  #frame(): void {
    const isQuiet =
      this.#speech.length === 0 && this.#endpointAppend < 0 && performance.now() > this.#playedUntil;
    if (isQuiet) this.#startTurn();
    const audio = this.#speech.shift() ?? SILENCE;
    this.#sentAt.push(performance.now());
    this.#socket.send(JSON.stringify({ type: 'input_audio_buffer.append', audio }));
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

function finished(): void {
  running -= 1;
  if (running === 0)
    process.stdout.write(JSON.stringify(callers.flatMap(caller => caller.turns.slice(WARM_UP_TURNS))));
}

/**
 * Call events for a server of the operator's: each one POST of JSON, signed as Standard Webhooks has it (HMAC-SHA256
 * over name, time and body), tried again while that server is away, and bounded: what waits too long or is too much is
 * given up, and the log says so.
 */
import { createHmac } from 'node:crypto';
import type { Clock, Timer } from '../../actors/core/clock.ts';
import type { Logger } from '../../actors/core/logger.ts';
import type { CallEvent, CallEvents } from '../call-events.ts';

/** Between the tries of one event. */
const WAITS_MS = [1000, 4000, 15_000, 60_000, 240_000];
const MAX_WAITING = 1000;
const MAX_AT_ONCE = 4;
/** Of one try. */
export const WEBHOOK_TIMEOUT_MS = 5000;

/** One try. Resolves with the HTTP status; rejects where there was no answer. */
export type Post = (headers: Readonly<Record<string, string>>, body: string) => Promise<number>;

export interface CallWebhookOptions {
  /** Null: unsigned. */
  readonly secret: string | null;
  readonly clock: Clock;
  readonly unixTimeMs: () => number;
  readonly newId: () => string;
  readonly log: Logger;
  readonly post: Post;
}

interface WaitingEvent {
  readonly id: string;
  readonly body: string;
  readonly type: string;
  tries: number;
}

export class CallWebhook implements CallEvents {
  /** Given up, because they were too many, were refused, or nobody answered. */
  givenUp = 0;
  readonly #options: CallWebhookOptions;
  readonly #queue: WaitingEvent[] = [];
  readonly #later = new Map<WaitingEvent, Timer>();
  #atOnce = 0;
  #sequence = 0;
  #isClosed = false;
  #onIdle: (() => void) | null = null;

  constructor(options: CallWebhookOptions) {
    this.#options = options;
  }

  /** Not taken yet by the other side. */
  get waiting(): number {
    return this.#queue.length + this.#later.size + this.#atOnce;
  }

  tell(event: CallEvent): void {
    if (this.#isClosed) return;
    const { newId, unixTimeMs } = this.#options;
    const { type, ...data } = event;
    const id = `evt_${newId()}`;
    // In their order, whenever they come.
    const head = { id, type, sequence: ++this.#sequence, created_at: Math.floor(unixTimeMs() / 1000) };
    const one = { id, type, body: JSON.stringify({ ...head, data: snake(data) }), tries: 0 };
    if (this.waiting >= MAX_WAITING) this.#giveUp(one, 'too many wait');
    else this.#queue.push(one);
    this.#next();
  }

  /** What waits is tried once more, for a few seconds at most; then nothing is. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const [one, timer] of this.#later) {
      timer.cancel();
      this.#queue.push(one);
    }
    this.#later.clear();
    if (this.waiting === 0) return;
    await new Promise<void>(resolve => {
      this.#onIdle = resolve;
      this.#options.clock.setTimer(WEBHOOK_TIMEOUT_MS, resolve);
      this.#next();
    });
    this.#queue.length = 0;
  }

  #next(): void {
    while (this.#atOnce < MAX_AT_ONCE && this.#queue.length > 0) {
      const one = this.#queue.shift()!;
      this.#atOnce += 1;
      one.tries += 1;
      this.#try(one)
        .then(
          status => this.#answered(one, status),
          () => this.#again(one, 'no answer'),
        )
        .finally(() => {
          this.#atOnce -= 1;
          this.#next();
          if (this.waiting === 0) this.#onIdle?.();
        });
    }
  }

  async #try({ body, id }: WaitingEvent): Promise<number> {
    const { post, secret, unixTimeMs } = this.#options;
    const time = String(Math.floor(unixTimeMs() / 1000));
    const signature: Record<string, string> =
      secret === null ? {} : { 'webhook-signature': signed(secret, id, time, body) };
    const named = { 'webhook-id': id, 'webhook-timestamp': time };
    return post({ 'content-type': 'application/json', ...named, ...signature }, body);
  }

  #answered(one: WaitingEvent, status: number): void {
    if (status >= 200 && status < 300) return;
    // It is there and does not want it: saying it again changes nothing.
    if (status < 500 && status !== 408 && status !== 429) this.#giveUp(one, `status ${status}`);
    else this.#again(one, `status ${status}`);
  }

  #again(one: WaitingEvent, why: string): void {
    if (this.#isClosed) return;
    const waitMs = WAITS_MS[one.tries - 1];
    if (waitMs === undefined) return void this.#giveUp(one, why);
    const timer = this.#options.clock.setTimer(waitMs, () => {
      this.#later.delete(one);
      this.#queue.push(one);
      this.#next();
    });
    this.#later.set(one, timer);
  }

  #giveUp({ id, tries, type }: WaitingEvent, why: string): void {
    this.givenUp += 1;
    this.#options.log.warn({ event: id, type, tries, why }, 'A call event was given up.');
  }
}

/** `v1,` and base64; a secret as `whsec_…` is base64 of the key, any other is the key. */
export function signed(secret: string, id: string, time: string, body: string): string {
  const key = secret.startsWith('whsec_') ? Buffer.from(secret.slice(6), 'base64') : Buffer.from(secret);
  return `v1,${createHmac('sha256', key).update(`${id}.${time}.${body}`).digest('base64')}`;
}

const snake = (data: object) =>
  Object.fromEntries(
    Object.entries(data).map(([name, value]) => [
      name.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`),
      value,
    ]),
  );

/** Whether the server serves: asked at the start, now and then while it does, and by a supervisor after it did not. */
import type { RuntimeError } from '../../errors.ts';
import type { ComponentState } from '../lifecycle.ts';
import { down } from './errors.ts';
import { SglangHttp, type SglangTimers } from './http.ts';
import { PATHS, SGLANG_DEFAULTS, type SglangSettings } from './settings.ts';

const ASK_AGAIN_MS = 250;

export interface HealthOptions {
  /** The address, for messages. */
  readonly server: string;
  readonly http: SglangHttp;
  readonly timers: SglangTimers;
  readonly settings: SglangSettings;
  /**
   * Replies are being made: reading a long context keeps the server from anything else, and they have bounds of their
   * own.
   */
  readonly isBusy: () => boolean;
  readonly changed: (state: ComponentState, error: RuntimeError | null) => void;
}

export class ServerHealth {
  readonly #options: HealthOptions;
  #state: ComponentState = 'starting';
  #timer: { cancel(): void } | null = null;
  #isClosed = false;

  constructor(options: HealthOptions) {
    this.#options = options;
  }

  get state(): ComponentState {
    return this.#state;
  }

  /** @throws (rejects) RuntimeError `sglang.down` when it is not healthy within `startMs` */
  async open(): Promise<void> {
    const { timers, settings } = this.#options;
    const untilMs = timers.nowMs() + settings.startMs;
    for (;;) {
      const ill = await this.ask();
      if (!ill) return this.#serves();
      if (timers.nowMs() + ASK_AGAIN_MS > untilMs) throw ill.error;
      await new Promise<void>(resolve => timers.setTimer(ASK_AGAIN_MS, resolve));
    }
  }

  /** Of one that is down: it serves again, or is down again. */
  start(): void {
    if (this.#state !== 'down' || this.#isClosed) return;
    this.#change('starting', null);
    void this.ask().then(ill => {
      if (this.#isClosed || this.#state !== 'starting') return;
      if (ill) this.lost(ill.error);
      else this.#serves();
    });
  }

  lost(error: RuntimeError): void {
    if (this.#state === 'down' || this.#isClosed) return;
    this.#timer?.cancel();
    this.#change('down', error);
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  #serves(): void {
    this.#change('ready', null);
    this.#askLater();
  }

  #askLater(): void {
    const { timers, settings } = this.#options;
    this.#timer = timers.setTimer(settings.healthEveryMs, () => void this.#check());
  }

  async #check(): Promise<void> {
    const ill = await this.ask();
    if (this.#isClosed || this.#state !== 'ready') return;
    if (ill && (!ill.wasSilent || !this.#options.isBusy())) this.lost(ill.error);
    else this.#askLater();
  }

  /** Null: it is healthy. */
  async ask(): Promise<{ readonly error: RuntimeError; readonly wasSilent: boolean } | null> {
    const { http, server, settings } = this.#options;
    try {
      const status = await http.ask('GET', PATHS.health, settings.healthMs);
      return status === 200
        ? null
        : { error: down(server, `${PATHS.health} answers ${status}`), wasSilent: false };
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      return { error: down(server, message), wasSilent: code === undefined };
    }
  }

  #change(state: ComponentState, error: RuntimeError | null): void {
    this.#state = state;
    this.#options.changed(state, error);
  }
}

/** Why the server would not serve, or null, for people who ask. */
export async function sglangIllness(server: string, timers: SglangTimers): Promise<string | null> {
  const http = new SglangHttp(server, timers);
  const health = { server, http, timers, settings: SGLANG_DEFAULTS, isBusy: () => false, changed: () => {} };
  const ill = await new ServerHealth(health).ask();
  await http.close();
  return ill?.error.message ?? null;
}

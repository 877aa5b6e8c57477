/**
 * The SGLang servers that share the replies. Each has its own connections and health; together they are a component
 * that serves as long as one of them does. One that is down is asked again and again while others serve; where none is
 * left the supervisor says when.
 */
import type { RuntimeError } from '../../errors.ts';
import type { ComponentState } from '../lifecycle.ts';
import { SglangHttp, type SglangTimers } from './http.ts';
import type { MadeReply } from './made-reply.ts';
import { ServerHealth } from './server-health.ts';
import type { SglangSettings } from './settings.ts';

/** One came back, or was lost, while others serve or do not. */
export type OnServer = (address: string, what: 'came' | 'lost', why: RuntimeError | null) => void;

export interface SglangServer {
  readonly address: string;
  readonly http: SglangHttp;
  readonly health: ServerHealth;
  readonly running: Set<MadeReply>;
  /** It failed a reply: until then another is asked first. */
  suspectUntilMs: number;
  told: 'came' | 'lost' | null;
  retry: { cancel(): void } | null;
}

const SUSPECT_MS = 10_000;

export interface ServersOptions {
  readonly addresses: readonly string[];
  readonly timers: SglangTimers;
  readonly settings: SglangSettings;
  readonly onServer?: OnServer;
  /** One did; how all of them together stand, and why. */
  readonly changed: (state: ComponentState, error: RuntimeError | null) => void;
}

export class SglangServers {
  readonly #options: ServersOptions;
  readonly all: readonly SglangServer[];

  constructor(options: ServersOptions) {
    this.#options = options;
    this.all = options.addresses.map(address => this.#serverAt(address));
  }

  get state(): ComponentState {
    const states = this.all.map(({ health }) => health.state);
    return (['ready', 'starting'] as const).find(each => states.includes(each)) ?? 'down';
  }

  /** Resolves with the first that is healthy. @throws (rejects) RuntimeError `sglang.down` where none is */
  async open(): Promise<void> {
    const opened = this.all.map(({ health }) =>
      health.open().catch(error => {
        health.lost(error);
        throw error;
      }),
    );
    await Promise.any(opened).catch((all: AggregateError) => Promise.reject(all.errors[0]));
  }

  start(): void {
    for (const { health } of this.all) health.start();
  }

  lost(error: RuntimeError): void {
    for (const { health } of this.all) health.lost(error);
  }

  /** One that serves and has room: none that failed lately if another does, and `home`, else the idlest. */
  choose(home: SglangServer | null): SglangServer | null {
    const nowMs = this.#options.timers.nowMs();
    const { maxReplies } = this.#options.settings;
    const rank = (server: SglangServer) =>
      (server.suspectUntilMs > nowMs ? 2 * maxReplies : 0) + (server === home ? -1 : server.running.size);
    const free = this.all.filter(
      ({ health, running }) => health.state === 'ready' && running.size < maxReplies,
    );
    return free.length === 0 ? null : free.reduce((a, b) => (rank(b) < rank(a) ? b : a));
  }

  failed(server: SglangServer, error: RuntimeError): void {
    server.suspectUntilMs = this.#options.timers.nowMs() + SUSPECT_MS;
    if (error.code === 'sglang.down') server.health.lost(error);
  }

  async close(): Promise<void> {
    for (const { health, retry } of this.all) {
      health.close();
      retry?.cancel();
    }
    await Promise.all(this.all.map(({ http }) => http.close()));
  }

  #serverAt(address: string): SglangServer {
    const { timers, settings } = this.#options;
    const http = new SglangHttp(address, timers);
    const running = new Set<MadeReply>();
    const health = new ServerHealth({
      ...{ server: address, http, timers, settings },
      isBusy: () => running.size > 0,
      changed: (state, error) => this.#changed(server, state, error),
    });
    const server: SglangServer = {
      ...{ address, http, health, running },
      ...{ suspectUntilMs: 0, told: null, retry: null },
    };
    return server;
  }

  #changed(server: SglangServer, of: ComponentState, error: RuntimeError | null): void {
    const what = of === 'ready' ? 'came' : 'lost';
    if (of !== 'starting' && server.told !== what) this.#options.onServer?.(server.address, what, error);
    if (of !== 'starting') server.told = what;
    if (of === 'ready') server.suspectUntilMs = 0;
    const { state } = this;
    for (const each of this.all) this.#askAgain(each, state === 'ready');
    this.#options.changed(state, error);
  }

  #askAgain(server: SglangServer, othersServe: boolean): void {
    const isWanted = othersServe && server.health.state === 'down';
    if (isWanted === (server.retry !== null)) return;
    server.retry?.cancel();
    const { timers, settings } = this.#options;
    const again = () => {
      server.retry = null;
      server.health.start();
    };
    server.retry = isWanted ? timers.setTimer(settings.healthEveryMs, again) : null;
  }
}

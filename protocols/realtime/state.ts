import type { SessionConfig } from './session-config.ts';
import type { AudioFormat } from './session-fields.ts';

export interface ResponseOverrides {
  readonly modality?: 'audio' | 'text';
  readonly format?: AudioFormat;
  readonly maxOutputTokens?: number | 'inf';
}

/** Replies whose length is remembered for `truncate`; older ones are judged by the session alone. */
const MAX_SPOKEN_ITEMS = 1000;

/** What both directions of one connection share. */
export class RealtimeState {
  readonly conversationId: string;
  config: SessionConfig;
  /** From the first sample on the voice is fixed. */
  hasSpoken = false;
  closed = false;
  /** User audio handed to the session, in milliseconds since the connection opened. */
  pushedMs = 0;
  #creating: ResponseOverrides | null = null;
  readonly #created = new Map<string, ResponseOverrides>();

  /** Milliseconds of audio sent, by item. */
  readonly #spokenMs = new Map<string, number>();

  constructor(conversationId: string, config: SessionConfig) {
    this.conversationId = conversationId;
    this.config = config;
  }

  /** Notes what a response overrides, whether the session announces it within `create` or later. */
  override(overrides: ResponseOverrides, create: () => string): void {
    this.#creating = overrides;
    try {
      const responseId = create();
      if (this.#creating) this.#created.set(responseId, overrides);
    } finally {
      this.#creating = null;
    }
  }

  takeOverrides(responseId: string): ResponseOverrides | null {
    const overrides = this.#creating ?? this.#created.get(responseId) ?? null;
    this.#creating = null;
    this.#created.delete(responseId);
    return overrides;
  }

  addSpoken(itemId: string, ms: number): void {
    this.hasSpoken = true;
    this.#spokenMs.set(itemId, this.spokenMs(itemId) + ms);
    if (this.#spokenMs.size > MAX_SPOKEN_ITEMS) this.#spokenMs.delete(this.#spokenMs.keys().next().value!);
  }

  spokenMs(itemId: string): number {
    return this.#spokenMs.get(itemId) ?? 0;
  }
}

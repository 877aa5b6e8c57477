import type { SessionConfig } from './session-config.ts';
import type { AudioFormat } from './session-fields.ts';

export interface ResponseOverrides {
  readonly modality?: 'audio' | 'text';
  readonly format?: AudioFormat;
  readonly maxOutputTokens?: number | 'inf';
  readonly metadata?: Readonly<Record<string, string>>;
}

/** More than a conversation has items. */
const MAX_UNTOLD = 10_000;

/** What both directions of one connection share. */
export class RealtimeState {
  readonly conversationId: string;
  config: SessionConfig;
  /** From the first sample on the voice is fixed. */
  hasSpoken = false;
  closed = false;
  /** Items of ours whose end is told later than their beginning. */
  readonly unfinished = new Set<string>();
  /** User audio handed to the session, in milliseconds since the connection opened. */
  pushedMs = 0;
  /** Of it since the last commit or clear. */
  uncommittedMs = 0;
  /** User turns whose words the client was not told. */
  readonly #untold = new Set<string>();
  readonly #created = new Map<string, ResponseOverrides>();

  constructor(conversationId: string, config: SessionConfig) {
    this.conversationId = conversationId;
    this.config = config;
  }

  /** What a response overrides, until the session announces it; nothing is left of one that is refused. */
  override(responseId: string, overrides: ResponseOverrides, create: () => void): void {
    this.#created.set(responseId, overrides);
    try {
      create();
    } catch (error) {
      this.#created.delete(responseId);
      throw error;
    }
  }

  committed(itemId: string): void {
    this.#untold.add(itemId);
    if (this.#untold.size > MAX_UNTOLD) this.#untold.delete(this.#untold.keys().next().value!);
  }

  /** Its transcript was completed, or it is gone. */
  told(itemId: string): void {
    this.#untold.delete(itemId);
  }

  /** An item shows its words once the client was told them: never without transcription, never in part. */
  showsWords(itemId: string): boolean {
    return !this.#untold.has(itemId);
  }

  takeOverrides(responseId: string): ResponseOverrides | null {
    const overrides = this.#created.get(responseId) ?? null;
    this.#created.delete(responseId);
    return overrides;
  }
}

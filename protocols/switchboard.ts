/** The telephone calls that are up, whatever carries them: to be listed, listened to, and connected with each other. */
import type { Session, Tool } from '../actors/session-api.ts';

/** The far end of a telephone line, for another one that is connected with it. */
export interface ConnectedParty {
  /** Sound for it, 16 kHz. */
  hear(samples: Float32Array): void;
  press(key: string): void;
  hangUp(reason: string): void;
}

export interface SwitchedCall extends ConnectedParty {
  /** Of the call and its session. */
  readonly id: string;
  readonly carrier: string;
  /** As far as the carrier tells them. */
  readonly from: string | null;
  readonly to: string | null;
  readonly session: Session;
  /** The agent has left, and two parties talk. */
  readonly isConnected: boolean;
  /** What the agent said has been heard, and it is making nothing more. */
  readonly isQuiet: boolean;
  /** Takes a key before the conversation does; true: it was for whoever asks. Null: nobody asks. */
  onKey: ((key: string) => boolean) | null;
  /** The caller waits: the agent hears silence, and what it says goes nowhere. */
  wait(isWaiting: boolean): void;
  /** The agent leaves, and this line and the other one hear each other. */
  connect(other: ConnectedParty): void;
  /** Hears both voices from now on; only lent. Null: nobody does. */
  tap: CallTap | null;
  /** Told when the call is over; what is returned forgets it. */
  whenOver(listener: () => void): () => void;
}

export interface CallTap {
  /** 16 kHz. */
  caller(samples: Float32Array): void;
  /** 24 kHz, as it leaves. */
  agent(samples: Float32Array): void;
}

export interface SwitchboardEntry {
  readonly call: SwitchedCall;
  readonly startedAtMs: number;
}

export class Switchboard {
  /** That the agent has in every call, beside its own. */
  tools: readonly Tool[] = [];
  readonly #unixTimeMs: () => number;
  readonly #entries = new Map<string, SwitchboardEntry>();

  constructor(unixTimeMs: () => number) {
    this.#unixTimeMs = unixTimeMs;
  }

  add(call: SwitchedCall): void {
    this.#entries.set(call.id, { call, startedAtMs: this.#unixTimeMs() });
  }

  remove(call: SwitchedCall): void {
    this.#entries.delete(call.id);
  }

  get(id: string): SwitchedCall | null {
    return this.#entries.get(id)?.call ?? null;
  }

  entries(): readonly SwitchboardEntry[] {
    return [...this.#entries.values()];
  }
}

/** One caller's line of frames, whatever carries it: a WebSocket, a data channel, memory in a test. */
export interface Connection {
  /** Queues one frame: text, or bytes as a binary one. A closed connection ignores it. */
  send(frame: string | Uint8Array): void;
  /** Bytes handed over that the network has not taken yet. */
  unsentBytes(): number;
  /** Stops and resumes the reading of frames, where the server can; some that were read already still come. */
  pauseReading(paused: boolean): void;
  /** Polite: what is queued is still sent, as far as the peer reads it within a few seconds. */
  close(code: number, reason: string): void;
}

export interface ConnectionListener {
  onText(text: string): void;
  /** In place of `onText`, for who keeps frames and decodes them later. The bytes are only lent: until this returns. */
  onUtf8?(text: Uint8Array): void;
  /** The bytes are the listener's to keep. */
  onBinary(bytes: Buffer): void;
  /** Exactly once, whoever closed. */
  onClose(code: number, reason: string): void;
}

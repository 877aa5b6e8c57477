import type { LineFormat } from '../media/index.ts';
import type { CallEnd } from './call-end.ts';

type SeatPacket = Parameters<CallEnd['packet']>[0];

/** The agent's end in one of the calls that it may be in: only where it sits does it hear anything. */
export class SeatEnd implements CallEnd {
  readonly #end: CallEnd;
  isTaken: boolean;
  /** On its way elsewhere: that this call ends is not the end of the conversation. */
  isLeaving = false;

  constructor(end: CallEnd, isTaken = false) {
    this.#end = end;
    this.isTaken = isTaken;
  }

  packet(packet: SeatPacket): void {
    if (this.isTaken) this.#end.packet(packet);
  }

  key(key: string): void {
    if (this.isTaken) this.#end.key(key);
  }

  format(format: LineFormat): void {
    if (this.isTaken) this.#end.format(format);
  }

  quiet(ms: number): void {
    if (this.isTaken) this.#end.quiet(ms);
  }

  restarted(): void {
    if (this.isTaken) this.#end.restarted();
  }

  marked(name: string, atMs: number): void {
    if (this.isTaken) this.#end.marked(name, atMs);
  }

  reformatted(): void {
    if (this.isTaken) this.#end.reformatted();
  }

  listenForKeys(isWanted: boolean): void {
    if (this.isTaken) this.#end.listenForKeys(isWanted);
  }

  held(): void {
    if (this.isTaken) this.#end.held();
  }

  hungUp(reason: string): void {
    if (this.isTaken && !this.isLeaving) this.#end.hungUp(reason);
  }
}

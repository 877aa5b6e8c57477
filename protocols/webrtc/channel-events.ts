/** How a protocol's events use the line. Texts are frames of JSON. */
export interface ChannelEvents {
  /** What a newcomer at the side is greeted with from now on; null: this is not of that kind. */
  greeting(text: string): string | null;
  /** Of an event that is too long for the channel: less of it, or an error that says so. */
  shortened(text: string, bytes: number, maxBytes: number): string;
  /** Whether the caller may hear it; absent: all. */
  isForCaller?(text: string): boolean;
  /** What the caller is told instead of the session hearing it; null: the session hears it. Absent: always. */
  refusalOf?(text: string): string | null;
}

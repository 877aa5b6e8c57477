/**
 * One call's media: its two sockets, the stream that comes, the stream that leaves, their reports, and encryption where
 * it was agreed on. As a telephone line (`protocols/telephone/line.ts`) it plays frames, tells marks and can throw away
 * what it has not sent.
 *
 *   socket ─► STUN? RTCP? SRTP ─► receiver ─► sink (the call)
 *   socket ◄─ SRTP ◄─ sender ◄─ wheel, every 20 ms
 */
import type { Random } from '../../actors/core/index.ts';
import type { Timers } from '../guard/index.ts';
import { hears, type MediaPlan, speaks } from './media-plan.ts';
import { type HostPort, sameHostPort } from './network.ts';
import { kindOfDatagram } from './packet.ts';
import type { MediaSockets } from './port-pool.ts';
import { type MediaSink, type ReceiverCounts, RtpReceiver } from './receiver.ts';
import { middleOf, ntpOf } from './reception.ts';
import { goodbye, parseRtcp, type ReportBlock, report } from './rtcp.ts';
import { RtpSender } from './sender.ts';
import { SrtpStream } from './srtp.ts';
import type { PaceWheel, WheelMember } from './wheel.ts';

/** Half of RFC 3550's least interval to one and a half of it, by chance (RFC 3550 §6.3.1). */
const REPORT_MS = 5000;
/** The far jitter buffer, as far as is known: one packet and what a telephone usually adds. */
const FAR_BUFFER_MS = 40;
/** Until a report has come back. */
const FIRST_LATENCY_MS = 60;
const MAX_LATENCY_MS = 500;
/** Neither sound nor a report for so long, and not on hold: nobody is there. */
const SILENT_LINE_MS = 60_000;
/** A call's own packets and as many again; more in one turn of the wheel is a flood, which costs nothing but itself. */
const MAX_DATAGRAMS_A_SECOND = 400;

export interface RtpSessionOptions {
  readonly sockets: MediaSockets;
  readonly wheel: PaceWheel;
  readonly clock: Timers;
  readonly unixTimeMs: () => number;
  readonly random: Random;
  readonly cname: string;
  readonly sink: MediaSink;
  readonly onMark: (name: string, atMs: number) => void;
  /** The line is dead. */
  readonly onSilent: () => void;
  readonly onFault: (error: unknown) => void;
}

export interface RtpStats extends ReceiverCounts {
  readonly sent: number;
  /** The peer's last report of what it missed, 0–1; null: none came. */
  readonly farLoss: number | null;
  readonly roundTripMs: number | null;
  readonly floods: number;
  readonly forged: number;
}

export class RtpSession implements WheelMember {
  readonly sender: RtpSender;
  readonly #options: RtpSessionOptions;
  readonly #receiver: RtpReceiver;
  #plan: MediaPlan | null = null;
  #srtpOut: SrtpStream | null = null;
  #srtpIn: SrtpStream | null = null;
  #leave: (() => void) | null = null;
  #nextReportMs: number;
  #reported = 0;
  #aliveAtMs: number;
  #rtcpFrom: HostPort | null = null;
  #farLoss: number | null = null;
  #roundTripMs: number | null = null;
  #forged = 0;
  #floods = 0;
  #taken = 0;
  #takenSinceMs = 0;
  #isClosed = false;

  constructor(options: RtpSessionOptions) {
    this.#options = options;
    const { clock, random, sink, onMark } = options;
    this.#receiver = new RtpReceiver(sink);
    this.sender = new RtpSender({ random, onMark, write: packet => this.#write(packet) }, FIRST_LATENCY_MS);
    this.#aliveAtMs = clock.nowMs();
    this.#nextReportMs = clock.nowMs() + REPORT_MS * (0.25 + random.next() / 2);
  }

  get stats(): RtpStats {
    const { sender, counts } = { sender: this.sender, counts: this.#receiver.counts };
    const heard = { farLoss: this.#farLoss, roundTripMs: this.#roundTripMs };
    return { ...counts, ...heard, sent: sender.packets, floods: this.#floods, forged: this.#forged };
  }

  /** Where sound really comes from; null: none came yet. */
  get source(): HostPort | null {
    return this.#receiver.source;
  }

  /** What was agreed on, first or anew; from now on packets leave. */
  use(plan: MediaPlan): void {
    const before = this.#plan;
    this.#plan = plan;
    const nowMs = this.#options.clock.nowMs();
    if (!sameKeys(before, plan)) {
      this.#srtpOut = plan.srtp && new SrtpStream(plan.srtp.send.suite, plan.srtp.send.master);
      this.#srtpIn = plan.srtp && new SrtpStream(plan.srtp.receive.suite, plan.srtp.receive.master);
    }
    if (before && !sameHostPort(before.remoteRtcp, plan.remoteRtcp)) this.#rtcpFrom = null;
    this.#receiver.use(plan);
    this.sender.use(plan.payloadType, plan.formats.get(plan.payloadType)!, plan.keys, plan.comfortNoise);
    if (before && hears(before.direction) !== hears(plan.direction)) this.#receiver.begin(nowMs);
    this.#aliveAtMs = nowMs;
    if (!this.#isClosed) this.#leave ??= this.#options.wheel.join(this);
  }

  /** One frame of 20 ms in the format that is sent. */
  play(frame: Buffer): void {
    this.sender.play(frame);
  }

  mark(name: string): void {
    this.sender.mark(name, this.#options.clock.nowMs());
  }

  clear(): void {
    this.sender.clear();
  }

  /** From the port of sound. */
  onRtp(bytes: Buffer, from: HostPort): void {
    if (this.#isClosed || !this.#plan || this.#isFlood()) return;
    const kind = kindOfDatagram(bytes);
    if (kind === 'rtcp') this.onRtcp(bytes, from);
    if (kind !== 'rtp') return;
    const plain = this.#srtpIn ? this.#srtpIn.unprotect(bytes) : bytes;
    if (!plain) {
      this.#forged += 1;
      return;
    }
    const nowMs = this.#options.clock.nowMs();
    const isTaken = this.#receiver.datagram(plain, from, nowMs, hears(this.#plan.direction));
    if (isTaken) this.#aliveAtMs = nowMs;
  }

  /** From the port of reports, which linphone also sends STUN to. A report may come before any sound. */
  onRtcp(bytes: Buffer, from: HostPort): void {
    if (this.#isClosed || !this.#plan || kindOfDatagram(bytes) !== 'rtcp') return;
    const source = this.#receiver.source ?? this.#rtcpFrom;
    if (source && source.host !== from.host) return;
    const plain = this.#srtpIn ? this.#srtpIn.unprotectRtcp(bytes) : bytes;
    const packets = plain && parseRtcp(plain);
    if (!packets) {
      this.#forged += 1;
      return;
    }
    const nowMs = this.#options.clock.nowMs();
    this.#aliveAtMs = nowMs;
    this.#rtcpFrom = from;
    for (const packet of packets) {
      if (packet.type === 'sender' && packet.ssrc === this.#receiver.reception?.ssrc)
        this.#receiver.reception.senderReport(packet.info, nowMs);
      if (packet.type === 'sender' || packet.type === 'receiver')
        for (const block of packet.blocks) if (block.ssrc === this.sender.ssrc) this.#reportedOn(block);
    }
  }

  tick(dueAtMs: number): void {
    const plan = this.#plan;
    if (!plan || this.#isClosed) return;
    const nowMs = this.#options.clock.nowMs();
    this.sender.tick(dueAtMs, nowMs, speaks(plan.direction));
    this.#receiver.tick(nowMs, hears(plan.direction));
    if (nowMs >= this.#nextReportMs) this.#report(nowMs);
    if (hears(plan.direction) && nowMs - this.#aliveAtMs > SILENT_LINE_MS) {
      this.#aliveAtMs = nowMs;
      this.#options.onSilent();
    }
  }

  fault(error: unknown): void {
    this.#options.onFault(error);
  }

  /** Says goodbye and gives the ports back. */
  close(): void {
    if (this.#isClosed) return;
    if (this.#plan && this.sender.packets > 0)
      this.#writeRtcp(goodbye(this.sender.ssrc, this.#options.cname));
    this.#isClosed = true;
    this.#leave?.();
    this.#options.sockets.release();
  }

  #isFlood(): boolean {
    const nowMs = this.#options.clock.nowMs();
    if (nowMs - this.#takenSinceMs >= 1000) {
      this.#takenSinceMs = nowMs;
      this.#taken = 0;
    }
    this.#taken += 1;
    if (this.#taken <= MAX_DATAGRAMS_A_SECOND) return false;
    this.#floods += 1;
    return true;
  }

  /** Half of the way there and back, and what waits at the far end (RFC 3550 §6.4.1). */
  #reportedOn({ fractionLost, lastSenderReport, delaySince }: ReportBlock): void {
    this.#farLoss = fractionLost;
    if (lastSenderReport === 0) return;
    const { ntpSeconds, ntpFraction } = ntpOf(this.#options.unixTimeMs());
    const units = (middleOf(ntpSeconds, ntpFraction) - lastSenderReport - delaySince) >>> 0;
    const roundTripMs = (units * 1000) / 65_536;
    // A clock that was set, or a peer that invents numbers.
    if (roundTripMs > 4 * MAX_LATENCY_MS) return;
    this.#roundTripMs = roundTripMs;
    this.sender.latencyMs = Math.min(MAX_LATENCY_MS, roundTripMs / 2 + FAR_BUFFER_MS);
  }

  #report(nowMs: number): void {
    const { cname, random, unixTimeMs } = this.#options;
    this.#nextReportMs = nowMs + REPORT_MS * (0.5 + random.next());
    const { packets, bytes, ssrc, timestamp } = this.sender;
    const info = packets === this.#reported ? null : { ...ntpOf(unixTimeMs()), timestamp, packets, bytes };
    this.#reported = packets;
    const { reception } = this.#receiver;
    this.#writeRtcp(report(ssrc, cname, info, reception ? [reception.block(nowMs)] : []));
  }

  #write(packet: Buffer): void {
    const { rtp } = this.#options.sockets;
    const coded = this.#srtpOut ? this.#srtpOut.protect(packet) : packet;
    rtp.send(coded, this.#receiver.source ?? this.#plan!.remote);
  }

  #writeRtcp(packet: Buffer): void {
    const { rtcp, rtp } = this.#options.sockets;
    const { remoteRtcp, rtcpMux } = this.#plan!;
    const coded = this.#srtpOut ? this.#srtpOut.protectRtcp(packet) : packet;
    if (rtcpMux) rtp.send(coded, this.#receiver.source ?? this.#plan!.remote);
    else rtcp.send(coded, this.#rtcpFrom ?? remoteRtcp);
  }
}

/** A stream of keys goes on where the keys stay: its count of wraps and its window belong to it. */
function sameKeys(before: MediaPlan | null, after: MediaPlan): boolean {
  const of = (plan: MediaPlan | null) =>
    plan?.srtp ? `${plan.srtp.send.master.toString('hex')} ${plan.srtp.receive.master.toString('hex')}` : '';
  return before !== null && of(before) === of(after);
}

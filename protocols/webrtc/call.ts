/**
 * One WebRTC call and its session:
 *
 *   peer ─ voice ──► VoiceIntake ─► session ─► VoiceSpeaker ─► peer
 *        ─ pictures ► Camera ─────►
 *        ─ events ─── ControlLine ─ the connection of its protocol (`call-protocol.ts`)
 */
import type { Timer } from '../../actors/core/clock.ts';
import type { Logger } from '../../actors/core/logger.ts';
import type { SessionEvent } from '../../actors/session-api.ts';
import type { Connection, ConnectionListener } from '../connection.ts';
import { guardedTimers, RateGuard, type Timers } from '../guard/index.ts';
import type { CallContext, CallProtocol, CallSession } from './call-protocol.ts';
import { Camera } from './camera.ts';
import { CaptureClock } from './capture-clock.ts';
import { ControlLine } from './control-line.ts';
import type { OpusDecoder, OpusEncoder } from '../media/index.ts';
import type { Overheard } from './overheard.ts';
import type { Peer, PeerListener, RtpIn, SenderReport } from './peer.ts';
import { MAX_CHANNEL_MESSAGE_BYTES } from './sdp.ts';
import { VoiceIntake } from './voice-intake.ts';
import { VoiceSpeaker } from './voice-speaker.ts';

const CLOSE_NORMAL = 1000;
const CLOSE_GONE = 1006;
const CLOSE_FAILED = 1011;

/** From the answer to the first encrypted packet. */
const CONNECT_WITHIN_MS = 20_000;
/** Nothing at all from a peer for so long: it is dead. Browsers send a check every 2.5 s, and sound every 20 ms. */
const DEAD_AFTER_MS = 10_000;
const LOOK_EVERY_MS = 1000;
/** A call that we end stays open until the last words on its channel have been acknowledged, and at most so long. */
const FAREWELL_WITHIN_MS = 3000;
const FAREWELL_LOOK_MS = 50;
/** Twice what a voice in packets of 10 ms has, and a burst behind a stall of the network. */
const VOICE_PACKETS = { perSecond: 200, burst: 500 };
/** Some 8 Mbit/s of pictures. */
const PICTURE_PACKETS = { perSecond: 900, burst: 2000 };
/** Packets beyond these that are let fall; more is a flood, and ends the call. */
const MAX_DROPPED = 5000;

export interface WebRtcCallOptions {
  readonly id: string;
  readonly context: CallContext;
  readonly protocol: CallProtocol;
  readonly decoder: OpusDecoder;
  readonly encoder: OpusEncoder;
  /** No channel for events was offered: a broadcaster's (RFC 9725). */
  readonly hasChannel: boolean;
  readonly keyTypes: ReadonlySet<number>;
  /** Where others listen in. */
  readonly overheard: Overheard;
  readonly onEnded: (reason: string) => void;
}

/** What came with the call and how it went, for logs. */
interface PacketCounts {
  pictures: number;
  dropped: number;
}

export class WebRtcCall implements PeerListener {
  readonly id: string;
  readonly #options: WebRtcCallOptions;
  readonly #log: Logger;
  readonly #clock: Timers;
  readonly #line: ControlLine;
  readonly #voice: VoiceIntake;
  readonly #speaker: VoiceSpeaker;
  readonly #camera: Camera;
  readonly #captures = new CaptureClock();
  readonly #voiceRate: RateGuard;
  readonly #pictureRate: RateGuard;
  readonly #counts: PacketCounts = { pictures: 0, dropped: 0 };
  #opened: CallSession | null = null;
  #peer: Peer | null = null;
  #watch: Timer;
  #aliveAtMs: number;
  #connected = false;
  #ended = false;

  /** Opens the session; where it cannot be, the call has ended already. */
  constructor(options: WebRtcCallOptions) {
    const { context, protocol, decoder, encoder, keyTypes, overheard } = options;
    this.id = options.id;
    this.#options = options;
    this.#log = context.log;
    this.#clock = guardedTimers(context.clock, error => this.#fault(error));
    this.#aliveAtMs = this.#clock.nowMs();
    this.#voiceRate = new RateGuard(this.#clock, VOICE_PACKETS.perSecond, VOICE_PACKETS.burst);
    this.#pictureRate = new RateGuard(this.#clock, PICTURE_PACKETS.perSecond, PICTURE_PACKETS.burst);
    this.#line = new ControlLine({
      maxMessageBytes: MAX_CHANNEL_MESSAGE_BYTES,
      maxUnsentBytes: context.limits.maxUnsentBytes,
      events: protocol.events,
      onClose: (code, reason) => this.#end(code, reason, true),
    });
    if (!options.hasChannel) this.#line.withoutChannel();
    this.#voice = new VoiceIntake({
      ...{ decoder, keyTypes, clock: this.#clock },
      onSound: sound => {
        overheard.caller(sound.samples);
        this.#opened?.hear(sound);
      },
      onKey: key => this.#pressed(key),
    });
    const heard: OpusEncoder = {
      encode: samples => {
        overheard.agent(samples);
        return encoder.encode(samples);
      },
      free: () => encoder.free(),
    };
    this.#speaker = new VoiceSpeaker(heard, this.#clock, packet => this.#peer?.sendVoice(packet), {
      onStarted: itemId => this.#opened?.speakerEvents?.onStarted(itemId),
      onStopped: itemId => this.#opened?.speakerEvents?.onStopped(itemId),
      onCleared: itemId => this.#opened?.speakerEvents?.onCleared(itemId),
    });
    this.#camera = this.#openCamera();
    this.#watch = this.#clock.setTimer(CONNECT_WITHIN_MS, () => this.#look());
    this.#line.listen(this.#openSession());
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Its transport, once it has answered. */
  carriedBy(peer: Peer): void {
    this.#peer = peer;
    if (this.#ended) peer.close();
  }

  /** A server's own connection to the call's control. */
  attach(side: Connection): ConnectionListener {
    return this.#line.attach(side);
  }

  hangUp(reason: string): void {
    this.#end(CLOSE_NORMAL, reason, true);
  }

  onConnected(): void {
    this.onAlive();
    if (this.#connected) return;
    this.#connected = true;
    this.#log.info({ call: this.id }, 'A WebRTC call is connected.');
    this.#watch.cancel();
    this.#watch = this.#clock.setTimer(LOOK_EVERY_MS, () => this.#look());
  }

  onAlive(): void {
    this.#aliveAtMs = this.#clock.nowMs();
  }

  onVoice(packet: RtpIn): void {
    if (!this.#admit(this.#voiceRate)) return;
    this.#guarded(() => {
      this.#captures.heard(packet.ssrc, packet.timestamp, this.#clock.nowMs());
      this.#voice.packet(packet);
    });
  }

  onPicture(packet: RtpIn): void {
    if (this.#admit(this.#pictureRate)) this.#guarded(() => this.#camera.packet(packet));
  }

  onSenderReport(report: SenderReport): void {
    this.#captures.report(report);
  }

  onChannel(): void {
    const peer = this.#peer;
    if (peer) this.#line.open({ send: text => peer.sendText(text), unsentBytes: () => peer.unsentBytes() });
  }

  onText(text: string): void {
    if (this.#ended) return;
    if (text.length <= MAX_CHANNEL_MESSAGE_BYTES) this.#guarded(() => this.#line.text(text));
    else this.#end(CLOSE_NORMAL, 'a message was too long');
  }

  onClosed(reason: string): void {
    this.#end(CLOSE_NORMAL, reason);
  }

  #openSession(): ConnectionListener {
    const { context, protocol } = this.#options;
    // Sound is life, too: how long nothing may come is for the watch here.
    const limits = { ...context.limits, idleMs: context.limits.lifetimeMs };
    return protocol.open({
      ...{ id: this.id, line: this.#line, speaker: this.#speaker, limits },
      opened: opened => {
        this.#opened = opened;
      },
      observe: event => this.#observe(event),
    });
  }

  #pressed(key: string): void {
    this.#opened?.session.send({ type: 'dtmf', digit: key });
    this.#opened?.pressed?.(key);
  }

  #openCamera(): Camera {
    return new Camera({
      clock: this.#clock,
      requestKeyFrame: ssrc => this.#peer?.requestKeyFrame(ssrc),
      capturedAtMs: (ssrc, timestamp) => this.#captures.capturedAtMs(ssrc, timestamp, this.#clock.nowMs()),
      onPicture: (image, capturedAtMs) => {
        this.#counts.pictures += 1;
        this.#opened?.session.send({ type: 'picture', image, capturedAtMs });
      },
      onFault: error => this.#log.warn({ err: error, call: this.id }, 'A picture could not be taken.'),
    });
  }

  #observe(event: SessionEvent): void {
    if (event.type === 'state') this.#camera.turn(event.state);
  }

  #admit(rate: RateGuard): boolean {
    if (this.#ended) return false;
    if (rate.take()) return true;
    this.#counts.dropped += 1;
    if (this.#counts.dropped > MAX_DROPPED)
      this.#end(CLOSE_NORMAL, 'packets come faster than any call has them');
    return false;
  }

  #look(): void {
    const { hasChannel } = this.#options;
    if (!this.#connected) this.#end(CLOSE_GONE, `no connection within ${CONNECT_WITHIN_MS / 1000} s`);
    else if (this.#clock.nowMs() - this.#aliveAtMs >= DEAD_AFTER_MS)
      this.#end(CLOSE_GONE, `nothing came for ${DEAD_AFTER_MS / 1000} s`);
    else {
      this.#watch = this.#clock.setTimer(LOOK_EVERY_MS, () => this.#look());
      if (hasChannel) void this.#tellNetwork();
    }
  }

  /** Where the time goes between us and the caller, for whoever asked for our own events. */
  async #tellNetwork(): Promise<void> {
    const roundTripMs = (await this.#peer?.roundTripMs()) ?? null;
    if (this.#ended) return;
    const { pictures } = this.#counts;
    const jitterBufferMs = this.#voice.waitMs;
    this.#opened?.tellNetwork?.({ roundTripMs, jitterBufferMs, pictures, ...this.#voice.counts });
  }

  /** What one packet breaks is its call's end, not the process's. */
  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#fault(error);
    }
  }

  #fault(error: unknown): void {
    this.#log.error({ err: error, call: this.id }, 'A WebRTC call failed.');
    this.#end(CLOSE_FAILED, 'internal error');
  }

  #end(code: number, reason: string, hasLastWords = false): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#watch.cancel();
    this.#voice.stop();
    this.#camera.stop();
    // The session ends with what was said, the speaker after it.
    this.#line.end(code, reason);
    this.#speaker.close();
    this.#options.overheard.close();
    if (hasLastWords && this.#connected) this.#closeWhenHeard(this.#clock.nowMs() + FAREWELL_WITHIN_MS);
    else this.#peer?.close();
    const { pictures, dropped } = this.#counts;
    this.#log.info(
      { call: this.id, reason, ...this.#voice.counts, pictures, dropped },
      'A WebRTC call ended.',
    );
    this.#options.onEnded(reason);
  }

  #closeWhenHeard(untilMs: number): void {
    if (this.#peer?.isAcknowledged() === false && this.#clock.nowMs() < untilMs)
      this.#clock.setTimer(FAREWELL_LOOK_MS, () => this.#closeWhenHeard(untilMs));
    else this.#peer?.close();
  }
}

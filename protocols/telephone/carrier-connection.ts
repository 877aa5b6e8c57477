/** A carrier's WebSocket: one call, or none. Frames → dialect → call, within bounds. */
import { randomUUID } from 'node:crypto';
import type { Timer } from '../../actors/core/clock.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import type { Connection, ConnectionListener } from '../connection.ts';
import type { DoorContext } from '../door.ts';
import {
  ConnectionWatch,
  EventQueue,
  guardedTimers,
  RateGuard,
  SlowReaderGuard,
  type Timers,
} from '../guard/index.ts';
import { badFrame } from './bad-frame.ts';
import type { CallStart, CarrierEvent, Dialect } from './dialect.ts';
import type { DigitSettings } from './digits.ts';
import { PhoneCall } from './phone-call.ts';

const CLOSE_NORMAL = 1000;
const CLOSE_POLICY = 1008;
const CLOSE_FAILED = 1011;
const CLOSE_TRY_AGAIN = 1013;

/** A carrier begins at once. */
const START_WITHIN_MS = 10_000;
/** Of a call that sends nothing, not even silence, and is not ended. */
const SILENT_LINE_MS = 60_000;
/** Twice as many as a call in packets of 20 ms has, and a burst of some seconds behind a stall of the network. */
const FRAMES = { perSecond: 150, burst: 1000 };
/** Frames that cannot be read cost themselves; so many are a peer that speaks something else. */
const MAX_BAD_FRAMES = 50;
const MAX_PARAMETER_CHARS = 8192;

export interface CarrierOptions {
  readonly context: DoorContext;
  readonly digits: DigitSettings;
  /** Error for a call that may not be: another account's. */
  readonly admit?: (start: CallStart) => void;
}

export class CarrierConnection implements ConnectionListener {
  readonly #connection: Connection;
  readonly #dialect: Dialect;
  readonly #options: CarrierOptions;
  readonly #clock: Timers;
  readonly #guard: SlowReaderGuard;
  readonly #queue: EventQueue;
  readonly #rate: RateGuard;
  readonly #watch: ConnectionWatch;
  #startTimer: Timer | null;
  #call: PhoneCall | null = null;
  #badFrames = 0;
  #closed = false;

  constructor(connection: Connection, dialect: Dialect, options: CarrierOptions) {
    const { clock, limits, metrics, quota } = options.context;
    this.#connection = connection;
    this.#dialect = dialect;
    this.#options = options;
    this.#clock = guardedTimers(clock, error => this.#fault(error));
    this.#guard = new SlowReaderGuard(connection, limits.maxUnsentBytes, reason => {
      metrics.slowReader();
      this.#end(reason);
    });
    this.#rate = new RateGuard(this.#clock, FRAMES.perSecond, FRAMES.burst);
    const idleMs = Math.min(limits.idleMs, SILENT_LINE_MS);
    const ofCall = { idleMs, lifetimeMs: limits.lifetimeMs };
    this.#watch = new ConnectionWatch(this.#clock, ofCall, why =>
      this.#close(CLOSE_NORMAL, why === 'idle' ? 'the line is silent' : 'the call has lasted long enough'),
    );
    this.#startTimer = this.#clock.setTimer(START_WITHIN_MS, () =>
      this.#close(CLOSE_POLICY, 'no call was begun'),
    );
    this.#queue = new EventQueue({
      handle: text => this.#handle(() => dialect.text(text)),
      onFull: () => this.#tooFast(),
      pauseReading: paused => connection.pauseReading(paused),
      quota,
    });
    dialect.attach?.(frame => this.#send(frame));
  }

  onText(text: string): void {
    if (this.#admitFrame()) this.#queue.push(text);
  }

  onBinary(bytes: Buffer): void {
    if (!this.#admitFrame()) return;
    this.#handle(() => {
      if (!this.#dialect.binary) throw badFrame('A binary frame means nothing here.');
      return this.#dialect.binary(bytes);
    });
  }

  onClose(code: number): void {
    this.#options.context.metrics.connectionClosed(code);
    this.#end(`the carrier closed the connection with ${code}`);
  }

  /** The door closes. */
  shutDown(): void {
    this.#close(CLOSE_NORMAL, 'the server is closing');
  }

  #admitFrame(): boolean {
    if (this.#closed) return false;
    this.#watch.seen();
    if (this.#rate.take()) return true;
    this.#tooFast();
    return false;
  }

  #handle(read: () => CarrierEvent): void {
    if (this.#closed) return;
    try {
      this.#take(read());
    } catch (error) {
      if (error instanceof RuntimeError && error.code === 'carrier.bad_frame') this.#bad(error);
      else this.#fault(error);
    }
  }

  #take(event: CarrierEvent): void {
    if (event.type === 'start') {
      this.#start(event.start);
      if (event.first && this.#call) this.#take(event.first);
    } else if (event.type === 'stop') this.#close(CLOSE_NORMAL, event.reason);
    else if (event.type === 'other') return;
    else if (!this.#call) throw badFrame(`${event.type} before the call was begun.`);
    else if (event.type === 'media') this.#call.packet(event);
    else if (event.type === 'key') this.#call.key(event.key);
    else this.#call.marked(event.name);
  }

  #start(start: CallStart): void {
    if (this.#call) throw badFrame('The call was begun already.');
    const { context, digits, admit } = this.#options;
    const { callEvents: events, log, metrics, runtime, sessionDefaults, switchboard } = context;
    const { from, to } = start.parameters;
    const { carrier, pace } = this.#dialect;
    try {
      admit?.(start);
      this.#call = new PhoneCall({
        id: `call_${randomUUID()}`,
        carrier,
        pace,
        runtime,
        sessionDefaults,
        digits,
        log,
        metrics,
        events,
        switchboard,
        about: { callId: start.callId, from, to },
        line: this.#dialect.line(
          start,
          frame => this.#send(frame),
          reason => this.#close(CLOSE_NORMAL, reason),
        ),
        clock: this.#clock,
        onEnded: () => {},
        ...instructionsOf(start),
      });
    } catch (error) {
      if (!(error instanceof RuntimeError) || error.code === 'carrier.bad_frame') throw error;
      log.warn({ carrier, callId: start.callId, code: error.code }, 'A call could not be taken.');
      this.#close(error.code === 'carrier.refused' ? CLOSE_POLICY : CLOSE_TRY_AGAIN, error.code);
      return;
    }
    this.#startTimer?.cancel();
    this.#startTimer = null;
    log.info({ call: this.#call.session.id, carrier, callId: start.callId }, 'A call began.');
  }

  #send(frame: string | Uint8Array): void {
    if (!this.#closed && this.#guard.mayDeliver()) this.#connection.send(frame);
  }

  #bad(error: RuntimeError): void {
    this.#badFrames += 1;
    const { log, metrics } = this.#options.context;
    const { carrier } = this.#dialect;
    metrics.clientError(error.code);
    if (this.#badFrames === 1) log.warn({ carrier, reason: error.message }, 'A frame that cannot be read.');
    if (this.#badFrames >= MAX_BAD_FRAMES) this.#close(CLOSE_POLICY, 'too many frames that cannot be read');
  }

  #tooFast(): void {
    this.#close(CLOSE_POLICY, 'frames come faster than any call has them');
  }

  #fault(error: unknown): void {
    this.#options.context.log.error({ err: error, carrier: this.#dialect.carrier }, 'A call failed.');
    this.#close(CLOSE_FAILED, 'internal error');
  }

  #close(code: number, reason: string): void {
    const { farewell } = this.#dialect;
    if (farewell !== undefined && this.#call) this.#send(farewell);
    this.#end(reason);
    this.#guard.close(code, reason);
  }

  #end(reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#startTimer?.cancel();
    this.#watch.stop();
    this.#queue.clear();
    this.#call?.hungUp(reason);
  }
}

/** What the operator wrote into the call's parameters goes before what the server was started with. */
function instructionsOf({ parameters }: CallStart): { readonly instructions?: string } {
  const { instructions } = parameters;
  return instructions === undefined ? {} : { instructions: instructions.slice(0, MAX_PARAMETER_CHARS) };
}

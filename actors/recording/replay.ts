/**
 * Runs a recording again. As long as nothing comes out differently it is followed entry by entry: calls, timers and
 * answers in the recorded order at the recorded times. From the first difference on, which something changed on purpose
 * brings about, time runs freely: what is called from outside stays as it was, the rest follows from the actors and
 * from what the engine's steps are said to cost.
 */
import type { Engine } from '../../kernels/engine/index.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import type { Clock } from '../core/clock.ts';
import { type EngineComponent, engineWithSteps } from '../core/engine-steps.ts';
import { hostTurn } from '../core/real-clock.ts';
import type { VirtualClock } from '../core/virtual-clock.ts';
import type { Runtime, Session, SessionCommand, SessionSettings, Tool } from '../session-api.ts';
import type { RecordingEntry, RecordedCall } from './format.ts';
import type { Recording } from './frames.ts';
import { hashOf, printable } from './hash.ts';
import { failureOf, nothingFollowed } from './recorder.ts';
import { ReplayClock } from './replay-clock.ts';
import { unpackCommand } from './samples.ts';
import { ToolAnswers } from './tool-answers.ts';
import { unpackTool, unpackTools } from './tools.ts';
import { type SpeakerTraits, silentSpeaker } from './speaker-traits.ts';

export interface ReplayWorld {
  /** Does the arithmetic again; its answers are delivered when the recording, or `stepMs`, says. */
  readonly engine: Engine;
  /** @param tools the runtime's own, which give what they gave */
  openRuntime(engine: Engine, clock: Clock, tools: readonly Tool[]): Runtime;
  /** What is changed in settings that the session was given from outside. */
  changeSettings?(settings: Partial<SessionSettings>): Partial<SessionSettings>;
  /** Milliseconds from now until a step is done, where the recording does not say it. */
  stepMs(clock: Clock): (component: EngineComponent, batch: readonly unknown[]) => number;
  /** True: the recording's times do not hold for this engine, not from the first step on. */
  readonly hasOtherCosts: boolean;
  /** Each session, before anything happens to it. */
  onSession?(session: Session, clock: Clock): void;
  /** A step is begun as recorded; what is returned is called with its duration. */
  onStep?(component: EngineComponent, batch: readonly unknown[]): ((durationMs: number) => void) | undefined;
  onProgress?(atMs: number): void;
}

export interface ReplayedEvent {
  readonly session: string;
  readonly atMs: number;
  readonly json: string;
}

/** The first thing that came out differently while the recording was followed. */
export interface Divergence {
  readonly atMs: number;
  readonly what: 'event' | 'engine step' | 'engine answer' | 'tool' | 'timer' | 'call';
  readonly before: string;
  readonly after: string;
}

export interface ReplayResult {
  readonly divergence: Divergence | null;
  readonly events: readonly ReplayedEvent[];
  readonly startMs: number;
  readonly endMs: number;
  /** Null when the recording was cut off. */
  readonly endReason: string | null;
}

/** What happened then, for comparison. */
export function* recordedEvents(recording: Recording): Generator<ReplayedEvent> {
  for (const { atMs, events } of recording.entries())
    for (const { session, json } of events) yield { session, atMs, json };
}

/** @throws RuntimeError `recording.invalid`, and what the engine throws */
export async function replay(recording: Recording, world: ReplayWorld): Promise<ReplayResult> {
  return new Replay(recording, world).run();
}

interface ReplayedStep {
  readonly component: EngineComponent;
  readonly work: Promise<(unknown | null)[]>;
  readonly begunMs: number;
  readonly measured: ((durationMs: number) => void) | undefined;
  resolve(answers: (unknown | null)[]): void;
  reject(error: unknown): void;
}

const NOTHING = 'nothing';
const PROGRESS_EVERY_MS = 1000;

class Replay {
  readonly #recording: Recording;
  readonly #world: ReplayWorld;
  readonly #clock: ReplayClock;
  readonly #runtime: Runtime;
  readonly #stepMs: ReturnType<ReplayWorld['stepMs']>;
  readonly #sessions = new Map<string, Session>();
  readonly #events: ReplayedEvent[] = [];
  readonly #waiting = new Map<number, ReplayedStep>();
  readonly #tools: ToolAnswers;
  #steps = 0;
  /** What followed from the entry's cause this time. */
  #made = nothingFollowed();
  #entry: RecordingEntry | null = null;
  #virtual: VirtualClock | null = null;
  #nestedDone = 0;
  /** What happens then is the tidying up. */
  #isOver = false;

  constructor(recording: Recording, world: ReplayWorld) {
    this.#recording = recording;
    this.#world = world;
    this.#clock = new ReplayClock(recording.header.startedAtMs, dueMs => this.#made.timers.push(dueMs));
    const engine = engineWithSteps(world.engine, (component, batch, step) =>
      this.#step(component, batch, step(batch)),
    );
    this.#tools = new ToolAnswers(
      () => recording.entries(),
      ask => this.#made.asks.push(ask),
    );
    const tools = recording.header.tools.map(tool => unpackTool(tool, this.#tools.answer));
    this.#runtime = world.openRuntime(engine, this.#clock, tools);
    this.#stepMs = world.stepMs(this.#clock);
    this.#clock.startCounting();
  }

  async run(): Promise<ReplayResult> {
    const { startedAtMs: startMs } = this.#recording.header;
    let divergence: Divergence | null = null;
    let endReason: string | null = null;
    let endMs = startMs;
    if (this.#world.hasOtherCosts) this.#setFree();
    for (const entry of this.#recording.entries()) {
      endMs = entry.atMs;
      if (entry.cause.type === 'end') endReason = entry.cause.reason;
      else if (this.#virtual) this.#schedule(entry, 0);
      else if ((divergence = await this.#follow(entry))) {
        this.#setFree();
        this.#schedule({ ...entry, cause: { type: 'end', reason: '' } }, this.#nestedDone);
      }
    }
    if (this.#virtual) await this.#runFreely(this.#virtual, endMs);
    this.#isOver = true;
    await this.#runtime.close();
    return { divergence, events: this.#events, startMs, endMs, endReason };
  }

  // ─── following ───────────────────────────────────────────────────────────────────────────────────────────────

  async #follow(entry: RecordingEntry): Promise<Divergence | null> {
    this.#clock.follow(entry.atMs);
    this.#entry = entry;
    this.#nestedDone = 0;
    this.#made = nothingFollowed();
    const problem = await this.#cause(entry);
    await hostTurn();
    this.#world.onProgress?.(entry.atMs);
    return problem ?? difference(entry, this.#made);
  }

  async #cause({ atMs, cause }: RecordingEntry): Promise<Divergence | null> {
    if (cause.type === 'timer') {
      if (cause.timer < 0 || this.#clock.fire(cause.timer)) return null;
      return { atMs, what: 'timer', before: `timer ${cause.timer} fires`, after: 'it is not set' };
    }
    if (cause.type === 'call') return this.#checkedCall(atMs, cause.call);
    if (cause.type === 'tool') {
      if (cause.ask < 0 || this.#tools.deliver(cause.ask, cause.outcome)) return null;
      return { atMs, what: 'tool', before: `answer ${cause.ask}`, after: 'nothing was asked' };
    }
    if (cause.type === 'end' || cause.step < 0) return null;
    const step = this.#waiting.get(cause.step);
    if (!step)
      return { atMs, what: 'engine answer', before: `step ${cause.step}`, after: 'it was not begun' };
    this.#waiting.delete(cause.step);
    return this.#answer(step, atMs, cause.outcome);
  }

  async #answer(
    step: ReplayedStep,
    atMs: number,
    outcome: Extract<RecordingEntry['cause'], { type: 'answer' }>['outcome'],
  ): Promise<Divergence | null> {
    step.measured?.(atMs - step.begunMs);
    if ('code' in outcome) {
      step.reject(new RuntimeError(outcome.code, outcome.message));
      return null;
    }
    const dropped = new Set(outcome.dropped);
    try {
      const answers = (await step.work).map((answer, i) => (dropped.has(i) ? null : answer));
      step.resolve(answers);
      const hash = hashOf(answers.filter(answer => answer !== null));
      if (hash === outcome.hash) return null;
      const before = `${step.component} answers ${outcome.hash}`;
      return { atMs, what: 'engine answer', before, after: `it answers ${hash}` };
    } catch (error) {
      step.reject(error);
      return {
        atMs,
        what: 'engine answer',
        before: `${step.component} answers`,
        after: failureOf(error).message,
      };
    }
  }

  #checkedCall(atMs: number, call: RecordedCall): Divergence | null {
    const refused = this.#call(call);
    if (refused === call.refused) return null;
    const outcome = (code: string | null) =>
      `${call.method} ${code === null ? 'accepted' : `refused: ${code}`}`;
    return { atMs, what: 'call', before: outcome(call.refused), after: outcome(refused) };
  }

  // ─── running freely ──────────────────────────────────────────────────────────────────────────────────────────

  #setFree(): void {
    this.#virtual = this.#clock.setFree();
    this.#tools.setFree(this.#virtual);
    this.#entry = null;
  }

  /** What comes from outside comes when it came; what was begun before the difference ends when it ended. */
  #schedule({ atMs, cause, nested }: RecordingEntry, nestedDone: number): void {
    const virtual = this.#virtual!;
    const delayMs = Math.max(0, atMs - virtual.nowMs());
    if (cause.type === 'call') virtual.setTimer(delayMs, () => void this.#call(cause.call));
    for (const { call } of nested.slice(nestedDone)) virtual.setTimer(delayMs, () => void this.#call(call));
    if (cause.type === 'tool')
      virtual.setTimer(delayMs, () => void this.#tools.deliver(cause.ask, cause.outcome));
    if (cause.type !== 'answer') return;
    const step = this.#waiting.get(cause.step);
    this.#waiting.delete(cause.step);
    if (step) virtual.settle(step.work, delayMs).then(step.resolve, step.reject);
  }

  async #runFreely(virtual: VirtualClock, endMs: number): Promise<void> {
    // Begun before the difference and never answered in the recording.
    for (const step of this.#waiting.values()) virtual.settle(step.work, 0).then(step.resolve, step.reject);
    while (virtual.nowMs() < endMs) {
      await virtual.runUntil(Math.min(endMs, virtual.nowMs() + PROGRESS_EVERY_MS));
      this.#world.onProgress?.(virtual.nowMs());
    }
  }

  // ─── both ────────────────────────────────────────────────────────────────────────────────────────────────────

  #step(
    component: EngineComponent,
    batch: readonly unknown[],
    computed: PromiseLike<(unknown | null)[]>,
  ): Promise<never[]> {
    const work = Promise.resolve(computed);
    if (this.#virtual) return this.#virtual.settle(work, this.#stepMs(component, batch)) as Promise<never[]>;
    work.catch(() => {}); // Looked at when the recording says so, perhaps never.
    this.#made.steps.push({ component, hash: hashOf(batch) });
    const measured = this.#world.onStep?.(component, batch);
    const begunMs = this.#clock.nowMs();
    return new Promise((resolve, reject) => {
      const step = { component, work, begunMs, measured, resolve, reject } as ReplayedStep;
      this.#waiting.set(this.#steps++, step);
    });
  }

  /** Returns the code of the error when it is refused. */
  #call({ session: id, method, args }: RecordedCall): string | null {
    try {
      if (method === 'open') {
        this.#open(id, args);
        return null;
      }
      const session = this.#sessions.get(id);
      if (!session) return 'session.ended';
      if (method === 'close') session.close(args[0] as string);
      else session.send(this.#changedCommand(unpackCommand(args[0], this.#tools.answer)));
      return null;
    } catch (error) {
      return failureOf(error).code;
    }
  }

  #open(id: string, args: RecordedCall['args']): void {
    const [given, traits, brought] = args as [Partial<SessionSettings>, SpeakerTraits?, object[]?];
    const { answer } = this.#tools;
    const settings = this.#changed(unpackTools(answer)(given));
    const session = this.#runtime.openSession(settings, {
      ...{ id, tools: brought?.map(tool => unpackTool(tool, answer)) ?? [] },
      ...(traits && { speaker: silentSpeaker(traits) }),
    });
    this.#sessions.set(id, session);
    session.events$.subscribe(event => {
      if (this.#isOver) return;
      const json = printable(event);
      this.#events.push({ session: id, atMs: this.#clock.nowMs(), json });
      const number = this.#made.events.push({ session: id, json }) - 1;
      for (const { afterEvent, call } of this.#entry?.nested ?? []) {
        if (afterEvent !== number) continue;
        this.#nestedDone += 1;
        this.#call(call);
      }
    });
    this.#world.onSession?.(session, this.#clock);
  }

  #changedCommand(command: SessionCommand): SessionCommand {
    if (command.type !== 'settings.update') return command;
    return { ...command, settings: this.#changed(command.settings) };
  }

  #changed(settings: Partial<SessionSettings>): Partial<SessionSettings> {
    return this.#world.changeSettings?.(settings) ?? settings;
  }
}

/** What the entry led to, then and now; events first, because they are what is seen outside. */
function difference(entry: RecordingEntry, made: ReturnType<typeof nothingFollowed>): Divergence | null {
  const { atMs } = entry;
  const first = (what: Divergence['what'], before: readonly string[], after: readonly string[]) => {
    for (let i = 0; i < Math.max(before.length, after.length); i++) {
      if (before[i] !== after[i])
        return { atMs, what, before: before[i] ?? NOTHING, after: after[i] ?? NOTHING };
    }
    return null;
  };
  const steps = (of: RecordingEntry['steps']) => of.map(({ component, hash }) => `${component} ${hash}`);
  const asks = (of: RecordingEntry['asks']) => of.map(({ tool, what, given }) => `${tool} ${what} ${given}`);
  const events = (of: RecordingEntry['events']) => of.map(({ session, json }) => `${session} ${json}`);
  const timers = (of: readonly number[]) => of.map(dueMs => `due at ${dueMs} ms`);
  return (
    first('event', events(entry.events), events(made.events)) ??
    first('engine step', steps(entry.steps), steps(made.steps)) ??
    first('tool', asks(entry.asks), asks(made.asks)) ??
    first('timer', timers(entry.timers), timers(made.timers))
  );
}

/**
 * The faces through which a recorded runtime sees its outside world: clock, engine and the hands that hold its
 * sessions.
 */
import { EMPTY, type Observable, Subject } from 'rxjs';
import type { Engine, StreamId } from '../../kernels/engine/index.ts';
import type { Clock } from '../core/clock.ts';
import { checkDelay, schedulerOf, xstateClockOf } from '../core/clock-faces.ts';
import { type EngineComponent, engineWithSteps } from '../core/engine-steps.ts';
import type {
  ConversationItem,
  Played,
  Runtime,
  Session,
  SessionCommand,
  SessionEvent,
  SessionSettings,
} from '../session-api.ts';
import type { SessionMethod } from './call-arguments.ts';
import type { RecordedCall } from './format.ts';
import type { Recorder } from './recorder.ts';
import { packCommand } from './samples.ts';
import { traitsOf, withoutReports } from './speaker-traits.ts';
import { packTool, packTools, recordedTools, watchTools, withTools } from './tools.ts';

/** For the runtime only: outside of its entries this clock stands still. */
export function recordedClock(clock: Clock, recorder: Recorder): Clock {
  const nowMs = () => recorder.nowMs();
  const setTimer = (delayMs: number, callback: () => void) => {
    checkDelay(delayMs);
    const dueMs = nowMs() + delayMs;
    return clock.setTimer(Math.max(0, dueMs - clock.nowMs()), recorder.timer(dueMs, callback));
  };
  return {
    nowMs,
    setTimer,
    settle: (work, costMs) => clock.settle(work, costMs),
    scheduler: schedulerOf(nowMs, setTimer),
    xstate: xstateClockOf(setTimer),
  };
}

/**
 * The same engine; when each step was begun and answered goes into the books. A stream that is closed before its answer
 * is delivered gets none, however close the race was, so that live and replay agree.
 */
export function recordedEngine(engine: Engine, recorder: Recorder): Engine {
  const running = new Set<{ component: EngineComponent; batch: readonly unknown[]; closed: Set<number> }>();
  const closing = (component: EngineComponent, stream: StreamId) => {
    for (const step of running) if (step.component === component) step.closed.add(stream);
  };
  const stepping = engineWithSteps(engine, (component, batch, step) => {
    const own = { component, batch, closed: new Set<number>() };
    running.add(own);
    return recorder.step(component, batch, step(batch), answers => {
      running.delete(own);
      return answers?.map((answer, i) => (own.closed.has(streamOf(batch[i])) ? null : answer)) ?? [];
    });
  });
  const { languageModel, audioEncoder, ganDecoder } = stepping;
  const withClose = <C extends { close(stream: StreamId): void }>(
    name: EngineComponent,
    component: C,
  ): C => ({
    ...component,
    close: (stream: StreamId) => {
      closing(name, stream);
      component.close(stream);
    },
  });
  return {
    ...stepping,
    languageModel: withClose('languageModel', languageModel),
    audioEncoder: withClose('audioEncoder', audioEncoder),
    ganDecoder: withClose('ganDecoder', ganDecoder),
  };
}

function streamOf(work: unknown): StreamId {
  const { sequence, stream } = work as { sequence?: StreamId; stream?: StreamId };
  return sequence ?? stream ?? -1;
}

/** The same runtime; what is called on its sessions goes into the books. */
export function recordedRuntime(runtime: Runtime, recorder: Recorder): Runtime {
  const sessions = new Map<string, Session>();
  return {
    sessions,
    limits: runtime.limits,
    health: runtime.health,
    callsTools: runtime.callsTools,
    openSession: (settings = {}, { id, speaker, tools } = {}) => {
      let session: Session | undefined;
      const traits = speaker ? traitsOf(speaker) : null;
      const brought = tools ? [tools.map(packTool)] : [];
      // Which name the runtime gives is known only afterwards; a replay needs it before.
      const call: RecordedCall = {
        session: id ?? '',
        method: 'open',
        args: [packTools(settings), traits, ...brought],
        refused: null,
      };
      recorder.call(call, () => {
        session = runtime.openSession(watchTools(recorder)(settings), {
          id,
          ...(speaker && { speaker: withoutReports(speaker) }),
          ...(tools && { tools: recordedTools(tools, recorder) }),
        });
        call.session = session.id;
      });
      return new RecordedSession(session!, recorder, sessions, speaker?.played$ ?? EMPTY);
    },
    close: async () => {
      for (const session of [...sessions.values()]) session.close('runtime closed');
      await runtime.close();
      recorder.stop('runtime closed');
    },
  };
}

class RecordedSession implements Session {
  readonly id: string;
  readonly events$: Observable<SessionEvent>;
  readonly #inner: Session;
  readonly #recorder: Recorder;
  readonly #events = new Subject<SessionEvent>();

  /** @param played$ what the session's own speaker says: a call from outside like any other */
  constructor(
    inner: Session,
    recorder: Recorder,
    sessions: Map<string, Session>,
    played$: Observable<Played>,
  ) {
    this.id = inner.id;
    this.events$ = this.#events.asObservable();
    this.#inner = inner;
    this.#recorder = recorder;
    sessions.set(this.id, this);
    const reports = played$.subscribe(told => this.send({ type: 'played', ...told }));
    inner.events$.subscribe({
      next: event => recorder.event(this.id, event, () => this.#events.next(event)),
      complete: () => {
        sessions.delete(this.id);
        reports.unsubscribe();
        recorder.sessionEnded();
        this.#events.complete();
      },
    });
  }

  get settings(): SessionSettings {
    return this.#inner.settings;
  }

  get items(): readonly ConversationItem[] {
    return this.#inner.items;
  }

  get unheardMs(): number {
    return this.#inner.unheardMs;
  }

  wordsWithin(itemId: string, samples: number): string {
    return this.#inner.wordsWithin(itemId, samples);
  }

  send(command: SessionCommand): void {
    const watched = withTools(command, watchTools(this.#recorder));
    this.#call('send', [packCommand(command)], () => this.#inner.send(watched));
  }

  close(reason: string): void {
    this.#call('close', [reason], () => this.#inner.close(reason));
  }

  #call<T>(method: SessionMethod, args: unknown[], perform: () => T): T {
    return this.#recorder.call({ session: this.id, method, args, refused: null }, perform);
  }
}

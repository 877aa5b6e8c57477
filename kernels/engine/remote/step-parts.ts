/** Steps whose works live on several hosts: each host gets its part, and each work its own end. */
import { RuntimeError } from '../../errors.ts';
import type { LanguageModelAnswer } from '../engine.ts';
import type { EngineComponent } from '../lifecycle.ts';
import { PartlyFailed } from '../partly-failed.ts';
import type { HostLine } from './host-line.ts';

type End<Answer> = Answer | null | RuntimeError;

export class StepParts<Work extends object, Answer> {
  /** Told what each host's part took beside the host's own time. */
  onHop: (hopMs: number) => void = () => {};
  readonly #component: EngineComponent;
  readonly #homeOf: (work: Work) => HostLine<Work, Answer> | null;
  /** Oldest first: who owes each step under way its answer. */
  readonly #owing = new Set<Set<HostLine<Work, Answer>>>();

  /** `homeOf`: null where it is gone. */
  constructor(component: EngineComponent, homeOf: (work: Work) => HostLine<Work, Answer> | null) {
    this.#component = component;
    this.#homeOf = homeOf;
  }

  oldestOwedBy(): readonly HostLine<Work, Answer>[] {
    const [oldest] = this.#owing;
    return [...(oldest ?? [])];
  }

  /** @throws (rejects) RuntimeError `engine.stream-lost`, `engine.partly-failed`, and what the hosts say */
  async step(batch: readonly Work[]): Promise<(Answer | null)[]> {
    const ends = new Array<End<Answer>>(batch.length).fill(null);
    const parts = new Map<HostLine<Work, Answer>, number[]>();
    const lost = streamLost(this.#component);
    batch.forEach((work, at) => {
      const home = this.#homeOf(work);
      if (!home) ends[at] = lost;
      else if (!parts.get(home)?.push(at)) parts.set(home, [at]);
    });
    const owing = new Set(parts.keys());
    this.#owing.add(owing);
    await Promise.all([...parts].map(([home, places]) => this.#part(home, places, batch, ends, owing)));
    this.#owing.delete(owing);
    const failed = ends.filter(end => end instanceof RuntimeError);
    if (failed.length === 0) return ends as (Answer | null)[];
    throw failed.length === ends.length && new Set(failed).size === 1 ? failed[0] : new PartlyFailed(ends);
  }

  async #part(
    home: HostLine<Work, Answer>,
    places: readonly number[],
    batch: readonly Work[],
    ends: End<Answer>[],
    owing: Set<HostLine<Work, Answer>>,
  ): Promise<void> {
    try {
      const { answers, hopMs } = await home.step(places.map(at => batch[at]));
      this.onHop(hopMs);
      places.forEach((at, i) => {
        ends[at] = withHop(answers[i], hopMs);
      });
    } catch (error) {
      for (const at of places) ends[at] = error as RuntimeError;
    }
    owing.delete(home);
  }
}

/** A prediction says what the way has cost it: a line of the turn's account. */
function withHop<Answer>(answer: Answer | null, hopMs: number): Answer | null {
  const { sampled } = (answer ?? {}) as Partial<LanguageModelAnswer>;
  return sampled ? { ...(answer as Answer), sampled: { ...sampled, hopMs } } : answer;
}

function streamLost(component: EngineComponent): RuntimeError {
  const remedy = 'Open a new stream and feed it again.';
  return new RuntimeError('engine.stream-lost', 'The stream was lost with its host.', { component }, remedy);
}

import type { LanguageModelAnswer, LanguageModelWork } from '../../kernels/engine/index.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import { type Plan, Quarantine } from '../core/engine-actor.ts';
import { type BatchLimits, type Candidate, type Choice, chooseBatch } from './batch-policy.ts';
import type { ModelConversation } from './conversation.ts';
import type { Generation } from './generation.ts';
import type { Flight } from './sequence.ts';

type ConversationCandidate = Candidate & { readonly conversation: ModelConversation };
type LanguageModelPlan = Plan<LanguageModelWork, LanguageModelAnswer>;

/** From what the conversations want to the next engine step. */
export class BatchPlanner {
  readonly #limits: BatchLimits;
  readonly #quarantine = new Quarantine();

  constructor(limits: BatchLimits) {
    this.#limits = limits;
  }

  plan(conversations: Iterable<ModelConversation>): LanguageModelPlan[] {
    for (;;) {
      const candidates: ConversationCandidate[] = [];
      for (const conversation of conversations) {
        const candidate = conversation.candidate();
        if (candidate) candidates.push(candidate);
      }
      if (candidates.length === 0) return [];
      const chosen = this.#quarantine.choose(candidates, ({ conversation }) => conversation.isSuspect);
      const plans: LanguageModelPlan[] = [];
      for (const choice of chooseBatch(chosen, this.#limits)) {
        const plan = planOf(choice);
        if (plan) plans.push(plan);
      }
      if (plans.length > 0) return plans;
      // All that were chosen could not depart and are over; the others have their turn.
    }
  }
}

/** Null when the engine gives the conversation no sequence; the conversation has failed then. */
function planOf({
  candidate: { conversation },
  count,
  sample,
}: Choice<ConversationCandidate>): LanguageModelPlan | null {
  const { sequence, context } = conversation;
  const positions = context.slice(sequence.cached, sequence.cached + count);
  const given = positions.textIds.length; // Fewer where the embedding rule changes.
  let flight: Flight;
  try {
    flight = sequence.depart(given);
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error;
    conversation.fail(error);
    return null;
  }
  const generation = sample && given === count ? conversation.generation : null;
  const work: LanguageModelWork = { sequence: flight.sequence, positions };
  if (!generation) return new PlannedStep(work, conversation, flight, null);
  const { traceparent } = generation;
  const sampling = { ...work, sample: generation.request(), traceparent };
  return new PlannedStep(sampling, conversation, flight, generation);
}

class PlannedStep implements LanguageModelPlan {
  readonly work: LanguageModelWork;
  readonly #conversation: ModelConversation;
  readonly #flight: Flight;
  readonly #generation: Generation | null;

  constructor(
    work: LanguageModelWork,
    conversation: ModelConversation,
    flight: Flight,
    generation: Generation | null,
  ) {
    this.work = work;
    this.#conversation = conversation;
    this.#flight = flight;
    this.#generation = generation;
  }

  answered(answer: LanguageModelAnswer | null): void {
    if (answer === null) return; // Closed meanwhile.
    const flight = this.#flight;
    if (answer.length === flight.to) {
      this.#conversation.advance(flight, this.#generation, answer.sampled ?? null);
    } else this.#conversation.retry(flight, wrongLength(flight.to, answer.length));
  }

  failed(error: RuntimeError): void {
    this.#conversation.retry(this.#flight, error);
  }
}

function wrongLength(expected: number, actual: number): RuntimeError {
  return new RuntimeError('engine.failed', 'The cache has another length than it should.', {
    expected,
    actual,
  });
}

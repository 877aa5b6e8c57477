import { expect } from 'vitest';
import { engineOnClock } from '../../actors/core/index.ts';
import {
  type ContextCommand,
  type ConversationRecord,
  type GenerationOptions,
  type LanguageModelOutput,
  type LanguageModelPorts,
  languageModelActor,
  type Reminder,
} from '../../actors/language-model/index.ts';
import { type Engine, type LanguageModelWork, textPositions } from '../../kernels/engine/index.ts';
import { ActorStage } from './actor-stage.ts';
import { linesOf, withVisibleCaches } from './caches.ts';
import { characterTokenizer, type ZeroLatencyOptions, zeroLatencyEngine } from './zero-latency-engine.ts';

const OPTIONS: GenerationOptions = {
  speech: true,
  maxSteps: 200,
  temperature: 1,
  topK: 1,
  topP: 1,
  repetitionPenalty: 1,
};
const LIMITS = { maxBatch: 16, prefillTokenBudget: 64 };
const HEADER = textPositions(characterTokenizer.encode('VOICE ASSISTANT:'));
const CLOSE = textPositions(characterTokenizer.encode('\n'));
export const EOS = 2;
export const NEWLINE = characterTokenizer.encode('\n')[0];

type Step = Extract<LanguageModelOutput, { type: 'step' }>;
type Ended = Extract<LanguageModelOutput, { type: 'ended' }>;

/** The actor with everything around it; a step takes 1 ms and 20 µs a position. */
export class Stage extends ActorStage<LanguageModelPorts, LanguageModelOutput> {
  readonly records: Map<string, ConversationRecord>;
  readonly caches: Map<number, string[]>;
  readonly engine: Engine;
  readonly batches: (readonly LanguageModelWork[])[];

  constructor(options: ZeroLatencyOptions = {}, limits = LIMITS, reminder: Reminder | null = null) {
    const records = new Map<string, ConversationRecord>();
    const batches: (readonly LanguageModelWork[])[] = [];
    const { engine, caches } = withVisibleCaches(
      zeroLatencyEngine({ onStep: (_, batch) => batches.push(batch as LanguageModelWork[]), ...options }),
    );
    super(stage => {
      const languageModel = (batch: readonly LanguageModelWork[]) =>
        1 + batch.reduce((sum, { positions }) => sum + positions.textIds.length * 0.02, 0);
      const timed = engineOnClock(engine, stage.clock, { languageModel });
      return languageModelActor({ engine: timed, epochs: stage.system.epochs, limits, reminder, records });
    });
    this.records = records;
    this.caches = caches;
    this.engine = engine;
    this.batches = batches;
  }

  open(...sessions: string[]): void {
    for (const session of sessions) this.send(session, 'control', { type: 'open' });
  }

  command(session: string, command: ContextCommand): void {
    this.send(session, 'context', command);
  }

  say(session: string, itemId: string, text: string, after?: string | null): void {
    const positions = textPositions(characterTokenizer.encode(text));
    this.command(session, { type: 'prefill', itemId, role: 'user', positions, after });
  }

  generate(session: string, generationId: string, options: Partial<GenerationOptions> = {}): void {
    const itemId = `reply-${generationId}`;
    const generation = {
      generationId,
      itemId,
      close: CLOSE,
      header: HEADER,
      options: { ...OPTIONS, ...options },
    };
    this.command(session, { type: 'generate', ...generation });
  }

  /** Every step; without what was cached, which a failure changes and the reply does not. */
  stepsSaid(session: string): Omit<Step, 'input'>[] {
    return this.steps(session).map(({ input: _, ...said }) => said);
  }

  steps(session: string, generationId?: string): Step[] {
    return this.of(session).filter(
      (body): body is Step => body.type === 'step' && (!generationId || body.generationId === generationId),
    );
  }

  ends(session: string): Ended[] {
    return this.of(session).filter((body): body is Ended => body.type === 'ended');
  }

  text(session: string, generationId?: string): string {
    const bodies = this.of(session).filter(body => body.type === 'step' || body.type === 'ended');
    return bodies
      .filter(body => !generationId || body.generationId === generationId)
      .map(({ textDelta }) => textDelta)
      .join('');
  }

  /** The session's context as its ledger says it, position by position. */
  context(session: string): string[] {
    const { context } = this.records.get(session)!;
    const { hiddenSize, tokens } = this.engine.model;
    const lines: string[] = [];
    while (lines.length < context.length) {
      const slice = context.slice(lines.length, context.length);
      lines.push(...linesOf(slice, hiddenSize, [tokens.audioPad, tokens.imagePad]));
    }
    return lines;
  }

  /** Readable text of the context; steps without text leave no trace. */
  contextText(session: string): string {
    return characterTokenizer.decode(this.context(session).map(line => Number(line.split(' ')[1])));
  }

  expectCachesTrue(): void {
    const wanted = [...this.records.keys()]
      .map(session => this.context(session))
      .filter(lines => lines.length > 0);
    const held = [...this.caches.values()].filter(lines => lines.length > 0);
    expect(held.map(lines => lines.join('\n')).sort()).toEqual(wanted.map(lines => lines.join('\n')).sort());
  }
}

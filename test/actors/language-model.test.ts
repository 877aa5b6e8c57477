import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { engineOnClock } from '../../actors/core/index.ts';
import {
  type ContextCommand,
  type ConversationRecord,
  type GenerationOptions,
  type LanguageModelOutput,
  type LanguageModelPorts,
  languageModelActor,
} from '../../actors/language-model/index.ts';
import {
  ABSENT,
  CODE_END,
  type Engine,
  type LanguageModelWork,
  textPositions,
} from '../../kernels/engine/index.ts';
import { ActorStage } from '../support/actor-stage.ts';
import { linesOf, withVisibleCaches } from '../support/caches.ts';
import {
  characterTokenizer,
  type ZeroLatencyOptions,
  zeroLatencyEngine,
} from '../support/zero-latency-engine.ts';

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
const EOS = 2;
const NEWLINE = characterTokenizer.encode('\n')[0];

type Step = Extract<LanguageModelOutput, { type: 'step' }>;
type Ended = Extract<LanguageModelOutput, { type: 'ended' }>;

/** The actor with everything around it; a step takes 1 ms and 20 µs a position. */
class Stage extends ActorStage<LanguageModelPorts, LanguageModelOutput> {
  readonly records: Map<string, ConversationRecord>;
  readonly caches: Map<number, string[]>;
  readonly engine: Engine;
  readonly batches: (readonly LanguageModelWork[])[];

  constructor(options: ZeroLatencyOptions = {}, limits = LIMITS) {
    const records = new Map<string, ConversationRecord>();
    const batches: (readonly LanguageModelWork[])[] = [];
    const { engine, caches } = withVisibleCaches(
      zeroLatencyEngine({ onStep: (_, batch) => batches.push(batch as LanguageModelWork[]), ...options }),
    );
    super(stage => {
      const languageModel = (batch: readonly LanguageModelWork[]) =>
        1 + batch.reduce((sum, { positions }) => sum + positions.textIds.length * 0.02, 0);
      const timed = engineOnClock(engine, stage.clock, { languageModel });
      return languageModelActor({ engine: timed, epochs: stage.system.epochs, limits, records });
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

  say(session: string, itemId: string, text: string, after?: string): void {
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

describe('a reply', () => {
  it('goes through the states of the worked trace of spec §1.9', async () => {
    const stage = new Stage({
      replies: [
        [
          { text: 'T', frames: 3 },
          { text: 'U', frames: 2 },
        ],
      ],
    });
    stage.open('a');
    stage.say('a', 'u1', 'USER:Hi');
    stage.generate('a', 'g1');
    await stage.rest();
    const table = stage
      .steps('a')
      .map(({ textId, codes, state }) => [
        textId,
        codes[0] === CODE_END ? 'end' : 'code',
        codes[1] === ABSENT ? 'absent' : 'acoustics',
        state,
      ]);
    const [T, U] = [characterTokenizer.encode('T')[0], characterTokenizer.encode('U')[0]];
    expect(table).toEqual([
      [T, 'code', 'absent', 'text-and-audio'],
      [137, 'code', 'acoustics', 'audio-only'],
      [ABSENT, 'code', 'acoustics', 'audio-only'],
      [ABSENT, 'end', 'acoustics', 'text-and-audio'],
      [U, 'code', 'absent', 'text-and-audio'],
      [EOS, 'code', 'acoustics', 'audio-only'],
      [ABSENT, 'end', 'acoustics', 'end'],
    ]);
    expect(stage.ends('a')).toMatchObject([{ reason: 'ended', steps: 7, textSteps: 4 }]);
  });

  it('leaves its last step and the newline in the cache for the next turn', async () => {
    const stage = new Stage({ replies: [[{ text: 'Yes.', frames: 6 }]] });
    stage.open('a');
    stage.say('a', 'u1', 'USER:Hi');
    stage.generate('a', 'g1');
    await stage.rest();
    const context = stage.context('a');
    expect(context.at(-2)).toMatch(/^decode -1 \| 2 /);
    expect(context.at(-1)).toBe(`prompt ${NEWLINE} | 3 3 3 3 | `);
    expect(context.length).toBe('USER:Hi\nVOICE ASSISTANT:'.length + 7 + 1);
    stage.expectCachesTrue();
  });

  it('is readable as it comes: whole, without markers, without white space at its ends', async () => {
    const stage = new Stage({
      replies: [
        [
          { text: ' One.', frames: 9 },
          { text: 'Two ', frames: 9 },
        ],
      ],
    });
    stage.open('a');
    stage.say('a', 'u1', 'x');
    stage.generate('a', 'g1');
    await stage.rest();
    expect(stage.text('a')).toBe('One. Two');
  });

  it('without speech ends with the end-of-sequence id and its newline', async () => {
    const stage = new Stage({ replies: [[{ text: 'Text only.', frames: 0 }]] });
    stage.open('a');
    stage.say('a', 'u1', 'x');
    stage.generate('a', 'g1', { speech: false });
    await stage.rest();
    expect(stage.text('a')).toBe('Text only.');
    expect(stage.ends('a')).toMatchObject([{ reason: 'ended', steps: 11 }]);
    expect(stage.context('a').slice(-2)).toEqual([
      `decode ${EOS} | -1 -1 -1 -1 | `,
      `prompt ${NEWLINE} | 3 3 3 3 | `,
    ]);
    stage.expectCachesTrue();
  });

  it('stops at its step limit and is closed after its last step', async () => {
    const stage = new Stage();
    stage.open('a');
    stage.say('a', 'u1', 'x');
    stage.generate('a', 'g1', { maxSteps: 5 });
    await stage.rest();
    expect(stage.ends('a')).toMatchObject([{ reason: 'max-steps', steps: 5 }]);
    expect(stage.context('a').at(-2)).toBe(`decode ${EOS} | 2 -1 -1 -1 | `);
    stage.expectCachesTrue();
  });
});

describe('speculation', () => {
  it('rolled back leaves the context as if it had not been', async () => {
    const stage = new Stage();
    stage.open('a');
    stage.say('a', 'u1', 'USER:Hello');
    await stage.rest();
    const before = stage.context('a');
    stage.generate('a', 'g1');
    await stage.run(8);
    expect(stage.steps('a').length).toBeGreaterThan(2);
    stage.system.epochs.raise('a');
    stage.command('a', { type: 'rollback', generationId: 'g1' });
    expect(stage.context('a')).toEqual(before);
    stage.say('a', 'u1', ' again');
    await stage.rest();
    expect(stage.contextText('a')).toBe('USER:Hello again');
    expect(stage.ends('a')).toHaveLength(1);
    stage.expectCachesTrue();
  });

  it('also after it was cancelled by its epoch, and after it had ended', async () => {
    for (const runMs of [0.5, 5, 1000]) {
      const stage = new Stage();
      stage.open('a');
      stage.say('a', 'u1', 'USER:Hello');
      stage.generate('a', 'g1');
      await stage.run(runMs);
      stage.system.epochs.raise('a');
      await stage.run(5);
      stage.command('a', { type: 'rollback', generationId: 'g1' });
      await stage.rest();
      expect(stage.contextText('a')).toBe('USER:Hello');
      expect(stage.ends('a')).toHaveLength(1);
      stage.expectCachesTrue();
    }
  });

  it('once committed is not rolled back any more', async () => {
    const stage = new Stage({ replies: [[{ text: 'Kept.', frames: 8 }]] });
    stage.open('a');
    stage.say('a', 'u1', 'x');
    stage.generate('a', 'g1');
    stage.command('a', { type: 'commit', generationId: 'g1' });
    stage.command('a', { type: 'rollback', generationId: 'g1' });
    await stage.rest();
    expect(stage.ends('a')).toMatchObject([{ reason: 'ended' }]);
    expect(stage.contextText('a')).toContain('Kept.');
  });

  it('emits nothing of an epoch that is over, even of a step in flight', async () => {
    const stage = new Stage();
    stage.open('a');
    stage.say('a', 'u1', 'x');
    stage.generate('a', 'g1');
    await stage.run(5.5);
    const before = stage.steps('a').length;
    stage.system.epochs.raise('a');
    await stage.rest();
    expect(stage.steps('a')).toHaveLength(before);
    expect(stage.ends('a')).toMatchObject([{ reason: 'cancelled', steps: before }]);
  });
});

describe('an interrupted reply', () => {
  it('keeps what was heard, closed by a step with the matching acoustics, and a newline (spec §6.5)', async () => {
    const stage = new Stage({ replies: [[{ text: 'One, two, three.', frames: 30 }]] });
    stage.open('a');
    stage.say('a', 'u1', 'USER:Count');
    stage.generate('a', 'g1');
    stage.command('a', { type: 'commit', generationId: 'g1' });
    await stage.run(15);
    const { codes } = stage.steps('a')[4];
    stage.send('a', 'control', { type: 'cancel', generationId: 'g1' });
    stage.command('a', { type: 'truncate', itemId: 'reply-g1', steps: 4 });
    await stage.rest();
    expect(stage.contextText('a')).toBe('USER:Count\nVOICE ASSISTANT:One,\n');
    expect(stage.context('a').at(-2)).toBe(`decode ${EOS} | 2 ${codes.slice(1).join(' ')} | `);
    expect(stage.ends('a')).toMatchObject([{ reason: 'cancelled' }]);
    stage.expectCachesTrue();
  });

  it('of which nothing was heard leaves only the end of the user turn', async () => {
    const stage = new Stage();
    stage.open('a');
    stage.say('a', 'u1', 'USER:Count');
    stage.generate('a', 'g1');
    await stage.run(6);
    stage.command('a', { type: 'truncate', itemId: 'reply-g1', steps: 0 });
    await stage.rest();
    expect(stage.contextText('a')).toBe('USER:Count\n');
    stage.expectCachesTrue();
  });

  it('is cancelled even when the cancel overtakes its start', async () => {
    const stage = new Stage();
    stage.open('a');
    stage.say('a', 'u1', 'x');
    stage.send('a', 'control', { type: 'cancel', generationId: 'g1' });
    stage.generate('a', 'g1');
    await stage.rest();
    expect(stage.steps('a')).toEqual([]);
    expect(stage.ends('a')).toMatchObject([{ reason: 'cancelled', steps: 0 }]);
  });
});

describe('the context', () => {
  it('is prefilled again from an item that was removed or inserted', async () => {
    const stage = new Stage({ replies: [[{ text: 'Ok.', frames: 6 }]] });
    stage.open('a');
    stage.say('a', 'u1', 'first ');
    stage.say('a', 'u2', 'second ');
    stage.say('a', 'u3', 'third ');
    await stage.rest();
    stage.command('a', { type: 'remove', itemId: 'u2' });
    stage.say('a', 'u4', 'between ', 'u1');
    stage.say('a', 'u5', 'before ', 'root');
    await stage.rest();
    expect(stage.contextText('a')).toBe('before first between third ');
    stage.expectCachesTrue();
  });

  it('that changes under a step in flight makes its prediction void', async () => {
    const stage = new Stage();
    stage.open('a');
    stage.say('a', 'u1', 'one ');
    stage.say('a', 'u2', 'two ');
    stage.generate('a', 'g1');
    await stage.run(7);
    const before = stage.steps('a').length;
    const { length } = stage.batches;
    stage.command('a', { type: 'remove', itemId: 'u1' });
    await stage.run(1.1);
    expect(stage.batches.length).toBe(length + 1);
    expect(stage.steps('a')).toHaveLength(before);
    await stage.rest();
    expect(stage.text('a')).toBe('Yes, I can hear you. Go on.');
    stage.expectCachesTrue();
  });

  it('takes input that arrives during a reply after its end', async () => {
    const stage = new Stage({ replies: [[{ text: 'Ok.', frames: 6 }]] });
    stage.open('a');
    stage.say('a', 'u1', 'one');
    stage.generate('a', 'g1');
    await stage.run(4);
    stage.say('a', 'u2', 'two');
    await stage.rest();
    expect(stage.contextText('a')).toBe('one\nVOICE ASSISTANT:Ok.\ntwo');
    stage.expectCachesTrue();
  });

  it('gives up its oldest whole turns, never the system turn, when it is full', async () => {
    const stage = new Stage({ maxPositions: 300 });
    stage.open('a');
    const system = textPositions(characterTokenizer.encode('SYSTEM'));
    stage.command('a', { type: 'prefill', itemId: 's', role: 'system', positions: system });
    for (let turn = 1; turn <= 5; turn++) {
      stage.turn = turn;
      stage.say('a', `u${turn}`, `<${turn}>`.padEnd(90, '.'));
      await stage.rest();
    }
    // 6 + 3 × 90 fit; the fourth turn makes room down to 225 with itself, the fifth fits again.
    expect(stage.contextText('a').replaceAll('.', '')).toBe('SYSTEM<3><4><5>');
    const dropped = stage.of('a').flatMap(body => (body.type === 'dropped' ? body.itemIds : []));
    expect(dropped).toEqual(['u1', 'u2']);
    stage.expectCachesTrue();
  });

  it('refuses a turn that alone exceeds it', async () => {
    const stage = new Stage({ maxPositions: 100 });
    stage.open('a');
    stage.say('a', 'u1', 'x'.repeat(60));
    stage.say('a', 'u1', 'x'.repeat(60));
    await stage.rest();
    expect(stage.of('a')).toContainEqual(
      expect.objectContaining({ type: 'failed', code: 'context.full', fatal: true }),
    );
  });
});

describe('the continuous batch', () => {
  it('decodes all sessions in one step', async () => {
    const stage = new Stage();
    const sessions = Array.from({ length: 12 }, (_, i) => `s${i}`);
    stage.open(...sessions);
    for (const session of sessions) {
      stage.say(session, 'u1', 'x');
      stage.generate(session, 'g1');
    }
    await stage.run(30);
    expect(stage.batches.at(-1)).toHaveLength(12);
    await stage.rest();
    const texts = sessions.map(session => stage.text(session));
    expect(new Set(texts)).toEqual(new Set(['Yes, I can hear you. Go on.']));
  });

  it('keeps running replies going while another session prefills 4000 positions', async () => {
    const stage = new Stage({ maxPositions: 8192, replies: [[{ text: 'Hello.', frames: 150 }]] });
    stage.open('a', 'b');
    stage.say('a', 'u1', 'x');
    stage.generate('a', 'g1');
    await stage.run(10);
    stage.say('b', 'u1', 'y'.repeat(4000));
    await stage.rest();
    const times = stage.outputs.filter(({ body }) => body.type === 'step').map(({ sentAtMs }) => sentAtMs);
    const gaps = times.slice(1).map((time, i) => time - times[i]);
    // One step: 1 ms, one decode position, at most 64 prefill positions.
    expect(Math.max(...gaps)).toBeLessThanOrEqual(1 + 65 * 0.02 + 1e-9);
    expect(stage.batches.filter(batch => batch.length === 2).length).toBeGreaterThan(4000 / 64 - 2);
    stage.expectCachesTrue();
  });

  it('leaves a place for prefill when decode would fill the batch, and none starves', async () => {
    const stage = new Stage({}, { maxBatch: 3, prefillTokenBudget: 64 });
    const sessions = ['a', 'b', 'c', 'd', 'e'];
    stage.open(...sessions);
    for (const session of sessions) {
      stage.say(session, 'u1', 'x');
      stage.generate(session, 'g1');
    }
    await stage.rest();
    for (const session of sessions) expect(stage.ends(session)).toMatchObject([{ reason: 'ended' }]);
    const lengths = new Set(stage.batches.map(batch => batch.length));
    expect(Math.max(...lengths)).toBe(3);
  });

  it('prefills for a newcomer while decode could fill it', async () => {
    const stage = new Stage({}, { maxBatch: 3, prefillTokenBudget: 64 });
    const sessions = ['a', 'b', 'c'];
    stage.open(...sessions, 'd');
    for (const session of sessions) {
      stage.say(session, 'u1', 'x');
      stage.generate(session, 'g1');
    }
    await stage.run(15);
    stage.say('d', 'u1', 'y');
    await stage.run(3);
    expect(stage.of('d')).toEqual([{ type: 'prefilled', positions: 1 }]);
    for (const session of sessions) expect(stage.ends(session)).toEqual([]);
  });

  it('is not harmed by a session that closes during its step', async () => {
    const stage = new Stage();
    stage.open('a', 'b');
    for (const session of ['a', 'b']) {
      stage.say(session, 'u1', 'x');
      stage.generate(session, 'g1');
    }
    await stage.run(6.5);
    stage.send('a', 'control', { type: 'close' });
    await stage.rest();
    expect(stage.ends('a')).toMatchObject([{ reason: 'cancelled' }]);
    expect(stage.ends('b')).toMatchObject([{ reason: 'ended' }]);
    expect([...stage.records.keys()]).toEqual(['b']);
    stage.expectCachesTrue();
  });
});

describe('when the engine fails', () => {
  const undisturbed = async () => {
    const stage = new Stage();
    stage.open('a', 'b');
    for (const session of ['a', 'b']) {
      stage.say(session, 'u1', 'x');
      stage.generate(session, 'g1');
    }
    await stage.rest();
    return stage.steps('a');
  };

  it.each([0, 1, 2, 7, 30])(
    'at step %i, both sessions go on from the context and say the same',
    async nth => {
      const stage = new Stage({ fails: (_, step) => step === nth });
      stage.open('a', 'b');
      for (const session of ['a', 'b']) {
        stage.say(session, 'u1', 'x');
        stage.generate(session, 'g1');
      }
      await stage.rest();
      expect(stage.steps('a')).toEqual(await undisturbed());
      expect(stage.steps('b')).toEqual(await undisturbed());
      stage.expectCachesTrue();
    },
  );

  it('a repeated step repeats its draw, so that a sampled reply is the same', async () => {
    const draws = async (nth: number) => {
      const stage = new Stage({ fails: (_, step) => step === nth });
      stage.open('a');
      stage.say('a', 'u1', 'x');
      stage.generate('a', 'g1', { topK: 5 });
      await stage.rest();
      return stage.batches.flatMap(batch => batch.flatMap(({ sample }) => (sample ? [sample.draw] : [])));
    };
    const [smooth, failing] = [await draws(-1), await draws(9)];
    expect(new Set(smooth).size).toBe(smooth.length);
    expect(failing.filter((draw, i) => draw !== failing[i - 1])).toEqual(smooth);
    expect(failing).toHaveLength(smooth.length + 1);
  });

  it('for ever, each session ends once with a readable error', async () => {
    const stage = new Stage({ fails: (_, step) => step > 5 });
    stage.open('a', 'b');
    for (const session of ['a', 'b']) {
      stage.say(session, 'u1', 'x');
      stage.generate(session, 'g1');
    }
    await stage.rest();
    for (const session of ['a', 'b']) {
      expect(stage.ends(session)).toMatchObject([{ reason: 'failed', error: { code: 'engine.failed' } }]);
      const failed = stage.of(session).filter(body => body.type === 'failed');
      expect(failed).toMatchObject([{ code: 'engine.failed', fatal: true }]);
    }
  });

  it('at the input of one session, only that session ends', async () => {
    const poison = characterTokenizer.encode('!')[0];
    const batches: LanguageModelWork[][] = [];
    const stage = new Stage({
      onStep: (_, batch) => batches.push(batch as LanguageModelWork[]),
      fails: () => batches.at(-1)!.some(({ positions }) => positions.textIds.includes(poison)),
    });
    stage.open('a', 'b');
    stage.say('a', 'u1', 'x');
    stage.generate('a', 'g1');
    await stage.run(5);
    stage.say('b', 'u1', `${'y'.repeat(200)}!`);
    await stage.rest();
    expect(stage.ends('a')).toMatchObject([{ reason: 'ended' }]);
    expect(stage.of('b')).toMatchObject([{ type: 'failed', code: 'engine.failed', fatal: true }]);
  });

  it('and the actor is restarted, running replies end and sessions go on from their contexts', async () => {
    const stage = new Stage();
    stage.open('a');
    stage.say('a', 'u1', 'x');
    stage.generate('a', 'g1');
    await stage.run(6);
    let throws = true;
    const { context } = stage.records.get('a')!;
    const slice = context.slice.bind(context);
    context.slice = (from, to) => {
      if (!throws) return slice(from, to);
      throws = false;
      throw new Error('A defect.');
    };
    await stage.run(50);
    expect(stage.ends('a')).toMatchObject([{ reason: 'failed', error: { code: 'actor.restarted' } }]);
    stage.say('a', 'u2', 'go on');
    await stage.rest();
    expect(stage.contextText('a')).toMatch(/go on$/);
    stage.expectCachesTrue();
  });
});

type Move = { readonly session: 'a' | 'b' | 'c'; readonly move: string; readonly n: number };

const moves = fc.array(
  fc.record<Move>({
    session: fc.constantFrom('a', 'b', 'c'),
    move: fc.constantFrom(
      'say',
      'say',
      'insert',
      'generate',
      'generate',
      'commit',
      'rollback',
      'cancel',
      'truncate',
      'remove',
      'raise',
      'reopen',
      'run',
      'run',
      'run',
    ),
    n: fc.nat({ max: 40 }),
  }),
  { minLength: 5, maxLength: 60 },
);

describe('in any order of events', () => {
  it('every generation ends exactly once, no step is of an old epoch, and caches hold what the contexts say', async () => {
    await fc.assert(
      fc.asyncProperty(moves, fc.nat({ max: 30 }), async (script, nth) => {
        const stage = new Stage({
          maxPositions: 400,
          replies: [[{ text: 'Yes.', frames: 6 }], [{ text: 'No, no.', frames: 12 }]],
          fails: (_, step) => step % 31 === nth,
        });
        const over = new Set<string>();
        stage.actor.output$.subscribe(({ session, epoch, body }) => {
          if (body.type === 'ended') over.add(`${session}/${body.generationId}`);
          if (body.type !== 'step') return;
          expect(stage.system.epochs.isStale(session, epoch)).toBe(false);
          expect(over.has(`${session}/${body.generationId}`)).toBe(false);
        });
        stage.open('a', 'b', 'c');
        const generations = new Map<string, number>();
        for (const [turn, move] of script.entries()) await play(stage, move, turn, generations);
        await stage.rest();
        for (const [key, expected] of generations) {
          const [session, generationId] = key.split('/');
          const ends = stage.ends(session).filter(end => end.generationId === generationId);
          expect(ends, key).toHaveLength(expected);
          const indices = stage.steps(session, generationId).map(({ index }) => index);
          expect(indices).toEqual(indices.map((_, i) => i));
        }
        stage.expectCachesTrue();
      }),
      { numRuns: 150 },
    );
  });
});

async function play(
  stage: Stage,
  { session, move, n }: Move,
  turn: number,
  generations: Map<string, number>,
) {
  stage.turn = turn;
  const latest = [...generations.keys()].filter(key => key.startsWith(session)).at(-1);
  const generationId = latest?.split('/')[1] ?? 'none';
  switch (move) {
    case 'say':
      return stage.say(session, `u${n % 5}`, 'w'.repeat(n + 1));
    case 'insert':
      return stage.say(session, `i${turn}`, 'i'.repeat(n + 1), 'root');
    case 'generate':
      generations.set(`${session}/g${turn}`, 1);
      return stage.generate(session, `g${turn}`, { speech: n % 4 > 0, maxSteps: 1 + n });
    case 'commit':
      return stage.command(session, { type: 'commit', generationId });
    case 'rollback':
      stage.system.epochs.raise(session);
      return stage.command(session, { type: 'rollback', generationId });
    case 'cancel':
      return stage.send(session, 'control', { type: 'cancel', generationId });
    case 'truncate':
      return stage.command(session, { type: 'truncate', itemId: `reply-${generationId}`, steps: n % 8 });
    case 'remove':
      return stage.command(session, {
        type: 'remove',
        itemId: n % 2 ? `u${n % 5}` : `reply-${generationId}`,
      });
    case 'raise':
      return void stage.system.epochs.raise(session);
    case 'reopen':
      stage.send(session, 'control', { type: 'close' });
      return stage.send(session, 'control', { type: 'open' });
    default:
      return void (await stage.run(n / 2));
  }
}

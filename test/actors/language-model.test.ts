import { describe, expect, it } from 'vitest';
import { ABSENT, CODE_END } from '../../kernels/engine/index.ts';
import { EOS, NEWLINE, Stage } from '../support/language-model-stage.ts';
import { characterTokenizer } from '../support/zero-latency-engine.ts';

describe('a reply', () => {
  it('goes through the states of the worked trace of docs/spec/model.md §1.9', async () => {
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
  it('keeps what was heard, closed by a step with the matching acoustics, and a newline (docs/spec/model.md §6.5)', async () => {
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
    const times = stage.outputs.filter(({ body }) => body.type === 'step').map(({ atMs }) => atMs);
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

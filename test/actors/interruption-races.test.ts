import { describe, expect, it } from 'vitest';
import { codeOf } from '../support/code-of.ts';
import { type Caller, SessionRig } from '../support/session-rig.ts';
import { cancelResponse, reportHeard, truncateItem } from '../support/told.ts';

/** Two words of 600 ms each, then a third. */
const REPLY = [
  { text: 'one, ', frames: 10 },
  { text: 'two, ', frames: 10 },
  { text: 'three.', frames: 10 },
];
const NO_BARGE_IN = {
  mode: 'vad',
  threshold: 0.5,
  prefixPaddingMs: 300,
  endpointSilenceMs: 650,
  speculateSilenceMs: 200,
  createResponse: true,
  interruptResponse: false,
} as const;
/** What the model's context holds of replies. */
const saidIn = (rig: SessionRig) =>
  rig
    .contextText()
    .split('VOICE ASSISTANT:')
    .slice(1)
    .map(turn => turn.split('\n')[0]);
const statuses = (caller: Caller) =>
  caller
    .all('response.done')
    .map(({ status }) => (status.kind === 'cancelled' ? status.reason : status.kind));

/** A caller whose first turn has just been endpointed: the reply is due or under way. */
async function asked(rig: SessionRig, settings = {}): Promise<Caller> {
  const caller = rig.open(settings);
  await caller.say(600);
  await caller.silence(660);
  expect(caller.state).toBe('agentSpeaking');
  return caller;
}
/** The session is alive and answers the next turn in full. */
async function answersNext(caller: Caller): Promise<void> {
  const before = statuses(caller).filter(status => status === 'completed').length;
  await caller.say(600);
  await caller.silence(5000);
  expect(statuses(caller).filter(status => status === 'completed')).toHaveLength(before + 1);
  expect(caller.state).toBe('idle');
  expect(caller.all('error')).toEqual([]);
}

describe('an interruption', () => {
  it('before the first frame leaves nothing of the reply', async () => {
    const rig = new SessionRig({ replies: [REPLY], costs: { languageModel: () => 300 } });
    const caller = await asked(rig);
    expect(caller.audioMs).toBe(0);
    await caller.say(400);
    expect(caller.states.slice(-3)).toEqual(['ducked', 'interrupted', 'userSpeaking']);
    expect(statuses(caller)).toEqual(['interrupted']);
    await caller.silence(660);
    // Only the second reply stands there, at its beginning.
    expect(saidIn(rig)).toHaveLength(1);
    expect(rig.contextText().match(/USER:/g)).toHaveLength(2);
    expect(caller.session.items.map(({ role, status }) => [role, status])).toEqual([
      ['user', 'completed'],
      ['assistant', 'incomplete'],
      ['user', 'completed'],
      ['assistant', 'in_progress'],
    ]);
  });

  it('during the commit, with speech right after the endpoint, is a new turn and not lost', async () => {
    const rig = new SessionRig({ replies: [REPLY] });
    const caller = await asked(rig);
    await caller.say(300);
    expect(caller.state).toBe('userSpeaking');
    expect(caller.last('item.truncated')).toMatchObject({ text: '' });
    await answersNext(caller);
    expect(saidIn(rig)).toEqual(['one, </pause>two, </pause>three.</longcat_s>']);
  });

  it('just before the endpoint is the same turn', async () => {
    const rig = new SessionRig({ replies: [REPLY] });
    const caller = rig.open();
    await caller.say(600);
    await caller.silence(640);
    await caller.say(300);
    await caller.silence(4000);
    expect(caller.all('input.committed')).toHaveLength(1);
    expect(caller.last('turn.trace')!.trace).toMatchObject({ rollbacks: 1, speculations: 2 });
  });

  it('twice cuts each reply to what was heard of it', async () => {
    const rig = new SessionRig({ replies: [REPLY] });
    const caller = await asked(rig);
    await caller.silence(500);
    await caller.say(400); // Decided after 200 ms: 720 ms heard.
    await caller.silence(660);
    await caller.silence(1100);
    await caller.say(400); // 1320 ms heard.
    await caller.silence(4000);
    expect(caller.all('item.truncated').map(({ text }) => text)).toEqual(['one,', 'one, two,']);
    expect(saidIn(rig)).toEqual([
      'one, </pause></longcat_s>',
      'one, </pause>two, </pause></longcat_s>',
      'one, </pause>two, </pause>three.</longcat_s>',
    ]);
    // All of it had been sent, so the responses were done; what was heard is another matter.
    expect(statuses(caller)).toEqual(['completed', 'completed', 'completed']);
  });

  it('that comes and goes during rollbacks leaves one user turn and one reply', async () => {
    const rig = new SessionRig({
      replies: [REPLY],
      costs: { languageModel: () => 35, audioEncoder: () => 60 },
    });
    const caller = rig.open();
    for (let i = 0; i < 6; i++) {
      await caller.say(240);
      await caller.silence(200 + 40 * i);
    }
    await caller.silence(5000);
    expect(caller.all('input.committed')).toHaveLength(1);
    expect(saidIn(rig)).toEqual(['one, </pause>two, </pause>three.</longcat_s>']);
    const pushedMs = 6 * 240 + [0, 1, 2, 3, 4].reduce((sum, i) => sum + 200 + 40 * i, 0) + 200;
    expect(rig.contextText().match(/~/g)).toHaveLength(Math.floor(pushedMs / 80));
    expect(caller.all('error')).toEqual([]);
  });

  it('while the last chunk is still being encoded keeps the user’s words and drops the reply', async () => {
    const rig = new SessionRig({
      replies: [REPLY],
      costs: { audioEncoder: batch => (batch.some(({ finish }) => finish) ? 900 : 0) },
    });
    const caller = await asked(rig);
    await caller.say(400);
    expect(statuses(caller)).toEqual(['interrupted']);
    await caller.silence(6000);
    expect(rig.contextText().match(/USER:<audio>~+<\/audio>\n/g)).toHaveLength(2);
    expect(saidIn(rig)).toEqual(['one, </pause>two, </pause>three.</longcat_s>']);
    expect(caller.state).toBe('idle');
  });

  it('that turns out to be a short noise changes nothing: the reply is heard without a gap', async () => {
    const rig = new SessionRig({ replies: [REPLY] });
    const caller = await asked(rig, { delivery: { mode: 'paced', leadMs: 40 } });
    await caller.silence(300);
    await caller.say(100);
    await caller.silence(3000);
    expect(caller.all('duck').map(({ gainDb }) => gainDb)).toEqual([-18, 0]);
    expect(caller.audioMs).toBe(1800);
    expect(statuses(caller)).toEqual(['completed']);
    const { timeline, heardMs } = caller.last('turn.trace')!.trace;
    expect(timeline.end! - timeline.firstAudio!).toBe(1800);
    expect(heardMs).toBe(1800);
  });

  it('in the tick of the last sample ends the reply one way or the other, once', async () => {
    for (const offsetMs of [-20, 0, 20]) {
      const rig = new SessionRig({ replies: [REPLY] });
      const caller = await asked(rig);
      await caller.silence(1800 - 200 + offsetMs);
      await caller.say(400);
      await caller.silence(100);
      expect(caller.all('turn.trace')).toHaveLength(1);
      expect(['userSpeaking', 'maybeDone']).toContain(caller.state);
      await answersNext(caller);
    }
  });
});

describe('a client', () => {
  it('that closes while the agent speaks ends everything', async () => {
    const rig = new SessionRig({ replies: [REPLY], costs: { languageModel: () => 20 } });
    const caller = await asked(rig);
    await caller.silence(200);
    caller.session.close('gone');
    const events = caller.events.length;
    await caller.wait(3000);
    expect(caller.events).toHaveLength(events);
    expect(caller.last('ended')).toMatchObject({ reason: 'gone' });
    expect(rig.caches.size).toBe(0);
  });

  it('that cancels during speculation hears that there is nothing to cancel, and is answered', async () => {
    const rig = new SessionRig({ replies: [REPLY] });
    const caller = rig.open();
    await caller.say(600);
    await caller.silence(400);
    expect(caller.state).toBe('speculating');
    expect(codeOf(() => cancelResponse(caller.session))).toBe('response.none');
    await caller.silence(4000);
    expect(statuses(caller)).toEqual(['completed']);
  });

  it('that cancels while the agent speaks hears what was sent, and the context ends there', async () => {
    const rig = new SessionRig({ replies: [REPLY] });
    const caller = await asked(rig, { delivery: { mode: 'paced', leadMs: 40 } });
    await caller.silence(700);
    cancelResponse(caller.session);
    expect(codeOf(() => cancelResponse(caller.session))).toBe('response.none');
    await caller.silence(500);
    expect(statuses(caller)).toEqual(['asked']);
    expect(caller.last('item.truncated')).toMatchObject({ text: 'one,' });
    expect(saidIn(rig)).toEqual(['one, </pause></longcat_s>']);
    await answersNext(caller);
  });

  it('that cancels in the moment the user’s next turn ends is answered', async () => {
    const rig = new SessionRig({ replies: [REPLY], costs: { languageModel: () => 100 } });
    const caller = await asked(rig);
    await caller.say(400);
    await caller.silence(640);
    expect(codeOf(() => cancelResponse(caller.session))).toBe('response.none');
    await caller.silence(20);
    cancelResponse(caller.session);
    await caller.silence(100);
    expect(statuses(caller)).toEqual(['interrupted', 'asked']);
    await answersNext(caller);
  });

  it('that truncates to less than the ledger says is believed', async () => {
    const rig = new SessionRig({ replies: [REPLY] });
    const caller = await asked(rig);
    await caller.silence(1100);
    await caller.say(400);
    expect(caller.last('item.truncated')).toMatchObject({ text: 'one, two,' });
    const { itemId } = caller.last('item.truncated')!;
    truncateItem(caller.session, itemId, 700);
    expect(caller.last('item.truncated')).toMatchObject({ itemId, audioEndMs: 700, text: 'one,' });
    await caller.silence(4000);
    expect(saidIn(rig)[0]).toBe('one, </pause></longcat_s>');
  });

  it('that truncates to more than the ledger says is believed up to what was sent, and heard words come back', async () => {
    const rig = new SessionRig({ replies: [REPLY] });
    const caller = await asked(rig);
    await caller.silence(500);
    await caller.say(400);
    const { itemId, text } = caller.last('item.truncated')!;
    expect(text).toBe('one,');
    truncateItem(caller.session, itemId, 100_000);
    const all = { itemId, audioEndMs: Math.floor(caller.audioMs), text: 'one, two, three.' };
    expect(caller.last('item.truncated')).toMatchObject(all);
    // A second word can only take away.
    truncateItem(caller.session, itemId, 700);
    truncateItem(caller.session, itemId, 1500);
    expect(caller.last('item.truncated')).toMatchObject({ itemId, audioEndMs: 700, text: 'one,' });
    expect(codeOf(() => truncateItem(caller.session, 'nothing', 0))).toBe('item.unknown');
    expect(codeOf(() => truncateItem(caller.session, caller.session.items[0].id, 0))).toBe('item.no-audio');
  });

  it('that truncates a reply it has stopped playing ends it there', async () => {
    const rig = new SessionRig({ replies: [REPLY] });
    const caller = await asked(rig, { turnDetection: NO_BARGE_IN });
    await caller.silence(900);
    truncateItem(caller.session, caller.session.items[1].id, 650);
    expect(caller.state).toBe('idle');
    await caller.silence(100);
    expect(saidIn(rig)).toEqual(['one, </pause></longcat_s>']);
    expect(caller.last('turn.trace')!.trace).toMatchObject({ interrupted: true, heardMs: 650, text: 'one,' });
  });

  it('that reports marks late is believed when they are lower', async () => {
    const rig = new SessionRig({ replies: [REPLY] });
    const caller = await asked(rig);
    await caller.silence(500);
    reportHeard(caller.session, caller.session.items[1].id, 200 * 24);
    await caller.say(400);
    // 200 ms at the report, 200 ms until the decision.
    expect(caller.last('item.truncated')!.audioEndMs).toBeLessThanOrEqual(420);
    expect(caller.last('item.truncated')!.text).toBe('');
  });

  it('that reports late how much it had heard of a reply that was heard to its end takes nothing away', async () => {
    const rig = new SessionRig({ replies: [REPLY] });
    const caller = await asked(rig);
    const [, { id }] = caller.session.items;
    for (let heardMs = 100; heardMs <= 1800; heardMs += 100) {
      await caller.silence(100);
      reportHeard(caller.session, id, heardMs * 24);
    }
    await caller.silence(100);
    expect(caller.state).toBe('idle');
    reportHeard(caller.session, id, 1700 * 24);
    expect(caller.all('item.truncated')).toEqual([]);
    expect(saidIn(rig)).toEqual(['one, </pause>two, </pause>three.</longcat_s>']);
  });

  it('whose only report comes after the interruption takes the unheard rest out of the context', async () => {
    const rig = new SessionRig({ replies: [REPLY] });
    const caller = await asked(rig);
    await caller.silence(1100);
    await caller.say(400);
    const { itemId, text } = caller.last('item.truncated')!;
    expect(text).toBe('one, two,');
    reportHeard(caller.session, itemId, 900 * 24);
    reportHeard(caller.session, itemId, 1300 * 24);
    await caller.silence(4000);
    expect(caller.last('item.truncated')).toMatchObject({ itemId, audioEndMs: 900, text: 'one,' });
    expect(saidIn(rig)[0]).toBe('one, </pause></longcat_s>');
  });
});

import { describe, expect, it } from 'vitest';
import { type Caller, SessionRig } from '../support/session-rig.ts';
import { createResponse } from '../support/told.ts';

const LONG = [[{ text: 'one, two, three, four, five, six, seven, eight.', frames: 160 }]];

/** A caller whose agent has been speaking for a second. */
async function listening(delivery: 'paced' | 'burst' = 'paced') {
  const rig = new SessionRig({ words: true, replies: LONG });
  const caller = rig.open({
    delivery: delivery === 'paced' ? { mode: 'paced', leadMs: 20 } : { mode: 'burst' },
  });
  await caller.say(800);
  await caller.silence(1660);
  expect(caller.state).toBe('agentSpeaking');
  return { rig, caller };
}

const spokenMs = (caller: Caller) => caller.audioMs;

describe('sound during the agent’s speech', () => {
  it('ducks with its first frame', async () => {
    const { rig, caller } = await listening();
    rig.word = 'stop';
    await caller.say(20);
    expect(caller.last('duck')).toMatchObject({ gainDb: -18 });
  });

  it('is a turn when it is a command: the agent is silent within 150 ms and what it had not said is gone', async () => {
    const { rig, caller } = await listening();
    rig.word = 'stop';
    await caller.say(140);
    const atHold = spokenMs(caller);
    await caller.say(260);
    expect(spokenMs(caller)).toBe(atHold);
    await caller.silence(100);
    expect(caller.last('response.done')?.status).toMatchObject({
      kind: 'cancelled',
      reason: 'interrupted',
    });
    expect(caller.all('speech.started')).toHaveLength(2);
    expect(spokenMs(caller)).toBe(atHold);
  });

  it('lets the agent go on after a backchannel, with every sample of what it had to say', async () => {
    const undisturbed = await listening();
    await undisturbed.caller.silence(12_000);
    const { rig, caller } = await listening();
    rig.word = 'mm-hm';
    await caller.say(300);
    await caller.silence(140);
    expect(caller.state).toBe('agentSpeaking');
    expect(caller.last('duck')).toMatchObject({ gainDb: 0 });
    await caller.silence(12_000);
    expect(caller.all('speech.started')).toHaveLength(1);
    expect(spokenMs(caller)).toBe(spokenMs(undisturbed.caller));
    expect(rig.contextText()).toBe(undisturbed.rig.contextText());
  });

  it('is no turn when it was short and nothing was understood', async () => {
    const { caller } = await listening();
    await caller.say(140);
    await caller.silence(400);
    expect(caller.state).toBe('agentSpeaking');
    expect(caller.all('item.truncated')).toHaveLength(0);
  });

  it('is a turn when it goes on, words or none, within 500 ms', async () => {
    const { caller } = await listening();
    await caller.say(500);
    expect(caller.all('speech.started')).toHaveLength(2);
    expect(caller.state).toBe('userSpeaking');
  });

  it('becomes a whole turn: its caption, its end and its answer', async () => {
    const { rig, caller } = await listening('burst');
    rig.word = 'stop';
    await caller.say(400);
    await caller.silence(2000);
    expect(
      caller
        .all('input.transcript')
        .map(({ delta }) => delta)
        .join(''),
    ).toContain('stop');
    expect(caller.all('input.committed')).toHaveLength(2);
    expect(caller.all('response.created')).toHaveLength(2);
    expect(rig.contextText().match(/USER:/g)).toHaveLength(2);
  });

  it('is a turn after all when it was too low for one but goes on, and none of it is lost', async () => {
    const { rig, caller } = await listening();
    const before = rig.contextText().match(/~/g)!.length;
    await caller.say(500, -5);
    expect(caller.last('duck')).toMatchObject({ gainDb: 0 });
    expect(caller.all('speech.started')).toHaveLength(1);
    await caller.say(800, -5);
    expect(caller.all('speech.started')).toHaveLength(2);
    await caller.silence(2000);
    expect(caller.all('input.committed')).toHaveLength(2);
    const said = rig.contextText().match(/~/g)!.length - before;
    expect(said * 80).toBeGreaterThan(1000);
  });

  it('is heard over a voice from across the room that does not stop', async () => {
    const { rig, caller } = await listening();
    await caller.say(600, -16);
    expect(caller.all('duck')).toEqual([]);
    rig.word = 'stop';
    await caller.say(300);
    await caller.say(600, -16);
    expect(caller.all('speech.started')).toHaveLength(2);
    await caller.silence(2000);
    expect(caller.all('input.committed')).toHaveLength(2);
  });

  it('that begins while the agent ends does not hold the next answer', async () => {
    const rig = new SessionRig({ words: true, replies: LONG, costs: { languageModel: () => 5 } });
    const caller = rig.open({ delivery: { mode: 'paced', leadMs: 20 } });
    createResponse(caller.session, { outputModality: 'text' });
    await caller.say(600);
    expect(caller.states).toContain('ducked');
    await caller.silence(14_000);
    expect(caller.all('response.done').map(({ status }) => status.kind)).toEqual(['completed', 'completed']);
    expect(caller.state).toBe('idle');
  });

  it('that stops coming in the middle is decided all the same', async () => {
    const { caller } = await listening('burst');
    await caller.say(200);
    await caller.wait(3000);
    expect(caller.state).not.toBe('ducked');
  });

  it('may be committed or cleared while it is being weighed', async () => {
    for (const type of ['input.clear', 'input.commit'] as const) {
      const { caller } = await listening();
      await caller.say(240);
      caller.session.send({ type });
      await caller.silence(9000);
      expect(caller.state).toBe('idle');
    }
  });
});

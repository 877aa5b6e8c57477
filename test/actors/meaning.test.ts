import { describe, expect, it } from 'vitest';
import type { TurnDetection } from '../../actors/session-api.ts';
import { DEFAULT_TURN_DETECTION } from '../../actors/turn-taking/index.ts';
import { SessionRig } from '../support/session-rig.ts';

const MEANING = { floorMs: 300, ceilingMs: 1500, doneBelow: 0.1, goesOnAbove: 0.9, judgeAgainMs: 400 };
const DETECTION = { ...DEFAULT_TURN_DETECTION, meaning: MEANING } as TurnDetection;

/** Says something and falls silent; when the turn ended, in milliseconds of silence. */
async function endOfTurn(waits: number[] | undefined, silenceMs = 8000) {
  const rig = new SessionRig({ waits });
  const caller = rig.open({ turnDetection: DETECTION });
  await caller.say(1000);
  await caller.silence(silenceMs);
  const endpointMs = caller.last('speech.stopped')?.audioEndMs;
  return { rig, caller, silenceMs: endpointMs === undefined ? null : endpointMs - 1000 };
}

describe('an endpoint from meaning', () => {
  it('comes at the floor when the speculation says that the user is done', async () => {
    const { silenceMs, caller } = await endOfTurn([0.01]);
    expect(silenceMs).toBe(300);
    expect(caller.last('turn.trace')?.trace).toMatchObject({ speculations: 1, rollbacks: 0 });
  });

  it('waits until the ceiling when it says that the user goes on, and answers at once then', async () => {
    const { silenceMs, caller } = await endOfTurn([0.99]);
    expect(silenceMs).toBe(1500);
    const { timeline, rollbacks } = caller.last('turn.trace')!.trace;
    expect(rollbacks).toBeGreaterThan(0);
    expect(timeline.firstAudio! - timeline.endpoint!).toBeLessThanOrEqual(20);
  });

  it('may change its mind as the silence grows', async () => {
    const { silenceMs } = await endOfTurn([0.99, 0.01]);
    // The second look comes at 200 + 400 ms, which is beyond the floor already.
    expect(silenceMs).toBeGreaterThanOrEqual(600);
    expect(silenceMs).toBeLessThanOrEqual(640);
  });

  it('is silence alone with a model that has no wait token', async () => {
    expect((await endOfTurn(undefined)).silenceMs).toBe(660);
  });

  it('forgets the wait when the user goes on, and keeps one turn', async () => {
    const { rig, caller } = await endOfTurn([0.99, 0.99, 0.99, 0.01], 1000);
    await caller.say(600);
    await caller.silence(1500);
    expect(caller.all('speech.stopped')).toHaveLength(1);
    expect(rig.contextText().match(/USER:/g)).toHaveLength(1);
  });

  it('lets nothing of a reply that was waited with be seen or heard', async () => {
    const { caller } = await endOfTurn([0.99], 900);
    expect(caller.all('response.created')).toHaveLength(0);
    expect(caller.audioMs).toBe(0);
    expect(caller.state).toBe('maybeDone');
  });
});

import { describe, expect, it } from 'vitest';
import type { Session } from '../../actors/index.ts';
import { FrameSampler } from '../../actors/perceive/frame-sampler.ts';
import { type RigOptions, SessionRig } from '../support/session-rig.ts';
import { addItem, commitInput, createResponse, deleteItem, pushVideo } from '../support/told.ts';

const REPLIES = [[{ text: 'I see.', frames: 10 }]];
const IMAGE = { width: 2, height: 2, data: new Uint8Array(12) };

/** A camera every half second for `ms`. */
function film(rig: SessionRig, session: Session, ms: number): void {
  for (let at = 0; at < ms; at += 500) rig.clock.setTimer(at, () => pushVideo(session, IMAGE));
}

function start(options: Partial<RigOptions> = {}, id?: string) {
  const rig = new SessionRig({ replies: REPLIES, ...options });
  const caller = rig.open({ turnDetection: { mode: 'manual' }, maxTokensPerPicture: 4 }, id);
  const ask = (text: string) => addItem(caller.session, { role: 'user', content: [{ type: 'text', text }] });
  const imageTokens = () => caller.last('response.done')?.usage.inputImageTokens;
  return { rig, caller, session: caller.session, ask, imageTokens };
}

const SEEN = /second\{\d+\.\d\}:####/g;

describe('the camera', () => {
  it('is part of a typed question, newest picture included', async () => {
    const { rig, caller, session, ask, imageTokens } = start();
    film(rig, session, 3000);
    await caller.wait(2800);
    ask('What do you see?');
    createResponse(session);
    await caller.wait(2000);
    // Taken at 0 s and 2 s, and the one of 2.5 s that only the question brought.
    expect(rig.contextText()).toMatch(
      /^USER:second\{0\.0\}:####second\{2\.0\}:####second\{2\.5\}:####What do you see\?\nVOICE ASSISTANT:I see/,
    );
    expect(imageTokens()).toBe(12);
  });

  it('is seen whatever the session is called: ids of items do not look like those of pictures', async () => {
    const { rig, caller, session, ask } = start({}, 'part:room/7');
    film(rig, session, 1000);
    await caller.wait(1000);
    ask('What do you see?');
    createResponse(session);
    await caller.wait(2000);
    expect(rig.contextText()).toMatch(/^USER:second\{0\.0\}:####second\{0\.5\}:####What do you see\?/);
  });

  it('is not blind after a picture that says it is of the future', async () => {
    const { rig, caller, session, ask } = start();
    await caller.wait(1000);
    session.send({ type: 'picture', image: IMAGE, capturedAtMs: 1e18 });
    film(rig, session, 1000);
    await caller.wait(1000);
    ask('What do you see?');
    createResponse(session);
    await caller.wait(2000);
    expect(rig.contextText()).toMatch(/^USER:second\{1\.0\}:####second\{1\.5\}:####What do you see\?/);
  });

  it('is a turn of its own where nothing was asked', async () => {
    const { rig, caller, session, imageTokens } = start();
    film(rig, session, 1000);
    await caller.wait(1000);
    createResponse(session);
    await caller.wait(2000);
    expect(rig.contextText()).toMatch(/^USER:second\{0\.0\}:####second\{0\.5\}:####\nVOICE ASSISTANT:I see/);
    expect(imageTokens()).toBe(8);
    // Nothing new: nothing is shown again.
    createResponse(session);
    await caller.wait(2000);
    expect(rig.contextText().match(SEEN)).toHaveLength(2);
  });

  it('holds the reply back until its pictures are encoded, also those on their way', async () => {
    const { rig, caller, session, ask } = start({ costs: { visionEncoder: () => 400 } });
    pushVideo(session, IMAGE);
    await caller.wait(100);
    ask('And now?');
    createResponse(session);
    await caller.wait(200);
    expect(rig.contextText()).not.toContain('ASSISTANT');
    await caller.wait(3000);
    expect(rig.contextText()).toMatch(/^USER:second\{0\.0\}:####And now\?\nVOICE ASSISTANT:I see/);
  });

  it('leaves a spoken turn as it was', async () => {
    const rig = new SessionRig({ replies: REPLIES });
    const caller = rig.open({ maxTokensPerPicture: 4 });
    film(rig, caller.session, 4000);
    await caller.silence(1000);
    await caller.say(1200);
    await caller.silence(3000);
    const spoken = rig.contextText();
    expect(spoken.match(/USER:/g)).toHaveLength(1);
    // A question after it gets what is new, and nothing of before.
    addItem(caller.session, { role: 'user', content: [{ type: 'text', text: 'More?' }] });
    createResponse(caller.session);
    await caller.wait(2000);
    const added = rig.contextText().slice(spoken.length);
    expect(added).toMatch(/^USER:second\{[3-5]\.\d\}:####.*More\?\nVOICE ASSISTANT/);
  });

  it('shows nothing of a turn that a client has just committed by hand twice', async () => {
    const { rig, caller, session } = start();
    film(rig, session, 2000);
    await caller.say(1500);
    commitInput(session);
    createResponse(session);
    await caller.wait(2000);
    expect(rig.contextText().match(/USER:/g)).toHaveLength(1);
  });

  it('costs nothing where there is none, and goes with a question that is deleted', async () => {
    const { rig, caller, session, ask } = start();
    ask('Hello?');
    createResponse(session);
    await caller.wait(2000);
    expect(rig.contextText()).toMatch(/^USER:Hello\?\nVOICE ASSISTANT/);
    pushVideo(session, IMAGE);
    const { id } = ask('Gone?');
    createResponse(session);
    deleteItem(session, id);
    await caller.wait(2000);
    expect(rig.contextText()).not.toContain('Gone?');
    expect(caller.all('error')).toEqual([]);
  });
});

describe('a look', () => {
  it('gives the newest picture once, and none while the user speaks', () => {
    const sampler = new FrameSampler();
    expect(sampler.look()).toBeNull();
    sampler.push(IMAGE, 0);
    expect(sampler.look()).toBeNull(); // Taken as it came.
    sampler.push(IMAGE, 600);
    expect(sampler.look()).toMatchObject({ capturedAtMs: 600, chunk: null });
    expect(sampler.look()).toBeNull();
    sampler.startUtterance();
    sampler.push(IMAGE, 1200);
    expect(sampler.look()).toBeNull();
    sampler.endUtterance();
    expect(sampler.look()).toBeNull();
    sampler.push(IMAGE, 1700);
    expect(sampler.look()).toMatchObject({ capturedAtMs: 1700 });
  });

  it('gives what a camera shows whose clock was set back', () => {
    const sampler = new FrameSampler();
    sampler.push(IMAGE, 60_000);
    expect(sampler.push(IMAGE, 100)).toMatchObject({ capturedAtMs: 100 });
    sampler.push(IMAGE, 700);
    expect(sampler.look()).toMatchObject({ capturedAtMs: 700 });
  });
});

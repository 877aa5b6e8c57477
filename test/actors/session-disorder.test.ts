import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RuntimeError } from '../../kernels/errors.ts';
import { type Caller, SessionRig } from '../support/session-rig.ts';
import {
  addItem,
  cancelResponse,
  clearInput,
  commitInput,
  createResponse,
  deleteItem,
  pushVideo,
  reportHeard,
  truncateItem,
  update,
} from '../support/told.ts';

const REPLIES = [
  [
    { text: 'one, ', frames: 8 },
    { text: 'two.', frames: 9 },
  ],
];
const IMAGE = { width: 2, height: 2, data: new Uint8Array(12) };
const VAD = {
  mode: 'vad',
  threshold: 0.5,
  prefixPaddingMs: 100,
  endpointSilenceMs: 300,
  speculateSilenceMs: 120,
  createResponse: true,
  interruptResponse: true,
} as const;

/** What the model makes of what it hears; none of them may lose a turn. */
const MODELS = [
  {},
  { words: true },
  { waits: [0.99, 0.5, 0.01, 0.99] },
  { words: true, waits: [0.01, 0.9, 0.99] },
];
const MEANING = { floorMs: 160, ceilingMs: 900, doneBelow: 0.1, goesOnAbove: 0.8, judgeAgainMs: 200 };

/**
 * Steps that are taken at least: frames that a client pushes, batches that an engine answers and events that a session
 * tells. A share of the million, so that the suite stays quick: STEPS=1000000 for all of them.
 */
const STEPS = Number(process.env.STEPS ?? 60_000);
const RUNS = 40;

type Deed = (caller: Caller, value: number) => void | Promise<void>;
const lastReply = ({ session }: Caller) =>
  session.items.findLast(({ role }) => role === 'assistant')?.id ?? 'none';
/** Everything that a client may do, sensible or not. */
const DEEDS: Record<string, Deed> = {
  say: (caller, value) => caller.say(20 + (value % 30) * 20),
  silence: (caller, value) => caller.silence(20 + (value % 40) * 20),
  wait: (caller, value) => caller.wait(value % 1500),
  commit: ({ session }) => void commitInput(session),
  clear: ({ session }) => clearInput(session),
  create: ({ session }, value) => void createResponse(session, value % 2 ? {} : { outputModality: 'text' }),
  cancel: ({ session }) => cancelResponse(session),
  truncate: (caller, value) => truncateItem(caller.session, lastReply(caller), value),
  report: (caller, value) => reportHeard(caller.session, lastReply(caller), value * 24),
  text: ({ session }, value) => {
    addItem(
      session,
      { role: 'user', content: [{ type: 'text', text: `text ${value}` }] },
      value % 5 ? undefined : null,
    );
  },
  picture: ({ session }) =>
    void addItem(session, { role: 'user', content: [{ type: 'image', image: IMAGE }] }),
  delete: ({ session }, value) =>
    deleteItem(session, session.items[value % (session.items.length + 1)]?.id ?? 'none'),
  video: ({ session }) => pushVideo(session, IMAGE),
  manual: ({ session }) => update(session, { turnDetection: { mode: 'manual' } }),
  vad: ({ session }, value) =>
    update(session, {
      turnDetection: { ...VAD, createResponse: value % 3 > 0, interruptResponse: value % 2 > 0 },
    }),
  meaning: ({ session }) => update(session, { turnDetection: { ...VAD, meaning: MEANING } }),
  pace: ({ session }, value) =>
    update(session, { delivery: value % 2 ? { mode: 'burst' } : { mode: 'paced', leadMs: 40 } }),
};

const said = (value: number) => ({ name: 'say', value });
/** Orders that went wrong once. */
const KNOWN: [
  { name: string; value: number }[],
  { step: number; encode: number },
  (typeof MODELS)[number],
  string,
][] = [
  [
    [{ name: 'create', value: 0 }, { name: 'pace', value: 1 }, said(0), said(0), said(0), said(0), said(488)],
    { step: 25, encode: 0 },
    MODELS[3],
    '',
  ],
  // The picture is encoded when the reply is asked for.
  [
    [{ name: 'video', value: 0 }, said(0), { name: 'create', value: 0 }, said(0)],
    { step: 0, encode: 0 },
    MODELS[0],
    '',
  ],
];

/** Refusals are part of the contract; anything else is not. */
async function attempt(deed: () => void | Promise<void>): Promise<void> {
  try {
    await deed();
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error;
  }
}

function check(caller: Caller): void {
  const done = new Set<string>();
  const cleared = new Set<string>();
  let open: string | null = null;
  for (const event of caller.events) {
    if (event.type === 'error') expect(event).toBe('no error');
    if (event.type === 'response.created') {
      expect(open).toBeNull();
      open = event.responseId;
    }
    if (event.type === 'response.done') {
      expect(event.responseId).toBe(open);
      open = null;
      done.add(event.responseId);
    }
    if (event.type === 'playout.clear' && event.itemId) cleared.add(event.itemId);
    if (event.type === 'response.audio' || event.type === 'response.text') {
      expect(done).not.toContain(event.responseId);
      expect(cleared).not.toContain(event.itemId);
    }
  }
  expect(open).toBeNull();
}

describe('a session', () => {
  it('survives whatever a client does in whatever order, never speaks twice at once, and comes to rest', async () => {
    const deeds = fc.array(fc.record({ name: fc.constantFrom(...Object.keys(DEEDS)), value: fc.nat(3000) }), {
      minLength: 5,
      maxLength: 40,
    });
    const model = fc.constantFrom(...MODELS);
    const word = fc.constantFrom('', 'stop', 'yes', 'seven');
    const costs = fc.record({ step: fc.constantFrom(0, 25, 110), encode: fc.constantFrom(0, 40, 400) });
    let steps = 0;
    const property = fc.asyncProperty(
      deeds,
      costs,
      model,
      word,
      async (order, { step, encode }, hears, heard) => {
        const rig = new SessionRig({
          ...hears,
          replies: REPLIES,
          onStep: () => {
            steps += 1;
          },
          costs: { languageModel: () => step, audioEncoder: () => encode, visionEncoder: () => encode },
        });
        rig.word = heard;
        const caller = rig.open({ turnDetection: VAD });
        const send = caller.session.send.bind(caller.session);
        caller.session.send = command => {
          if (command.type === 'audio') steps += 1;
          send(command);
        };
        for (const { name, value } of order) await attempt(() => DEEDS[name](caller, value));
        await caller.silence(1500);
        await caller.wait(20_000);
        check(caller);
        expect(caller.state).toBe('idle');
        // One more turn is heard and answered.
        update(caller.session, { turnDetection: VAD, delivery: { mode: 'burst' } });
        const before = caller.all('response.done').length;
        await caller.say(500);
        await caller.silence(1000);
        await caller.wait(20_000);
        expect(
          caller
            .all('response.done')
            .slice(before)
            .map(({ status }) => status.kind),
        ).toEqual(['completed']);
        caller.session.close('done');
        await rig.clock.runFor(1000);
        expect(rig.caches.size).toBe(0);
        steps += caller.events.length;
      },
    );
    for (let seed = 1; steps < STEPS; seed++)
      await fc.assert(property, { numRuns: RUNS, seed, examples: KNOWN });
    expect(steps).toBeGreaterThanOrEqual(STEPS);
  }, 3_600_000);
});

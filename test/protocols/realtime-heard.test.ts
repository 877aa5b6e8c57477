/** What was heard of a reply, as clients tell it, and what the next reply is owed of it: nothing. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type WireClient, wireRig } from '../support/wire-rig.ts';

const NUMBERS = ['One', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten'];
/** 540 ms a word. */
const COUNT = [...NUMBERS, ...NUMBERS].map((word, i) => ({
  text: i === 19 ? `${word}.` : `${word}, `,
  frames: 9,
}));
const WORD_MS = 540;
const ALL_MS = 20 * WORD_MS;
const TRUNCATED = 'conversation.item.truncated';

function open(session: object = {}, stepMs = 0) {
  const rig = wireRig({ replies: [COUNT], costs: { languageModel: () => stepMs } });
  const client = rig.connect();
  client.configure({ longcat: { extensions: true }, ...session });
  return { rig, client };
}

async function ask(client: WireClient, waitMs: number): Promise<string> {
  client.text('Count to twenty.');
  client.send({ type: 'response.create' });
  await client.wait(waitMs);
  return client.last('response.output_item.added').item.id;
}

function transcriptOf(client: WireClient, itemId: string): string {
  client.send({ type: 'conversation.item.retrieve', item_id: itemId });
  return client.last('conversation.item.retrieved').item.content[0].transcript;
}

const traceOf = (client: WireClient) => client.last('longcat.turn.trace').trace;

describe('a reply after a truncated one', () => {
  it('is heard from the moment it is sent', async () => {
    const { client } = open();
    const first = await ask(client, 400);
    client.truncate(first, 390);
    expect(client.last(TRUNCATED)).toMatchObject({ item_id: first, audio_end_ms: 390 });
    await client.wait(600);
    const second = await ask(client, 3000);
    client.truncate(second, 2900);
    expect(client.last(TRUNCATED)).toMatchObject({ item_id: second, audio_end_ms: 2900 });
    expect(transcriptOf(client, second)).toBe('One, two, three, four, five,');
    expect(traceOf(client)).toMatchObject({ heard_ms: 2900, timeline: { first_audio: 1000 } });
  });

  it('owes nothing to an interrupted one whose sound was all sent: neither the trace nor the histogram waits', async () => {
    const { client, rig } = open({ audio: { input: { turn_detection: null } } });
    for (let n = 0; n < 2; n++) {
      const item = await ask(client, 400);
      // What the stock session does to interrupt.
      client.send({ type: 'response.cancel' });
      client.truncate(item, 400);
    }
    await client.say(400);
    client.send({ type: 'input_audio_buffer.commit' });
    client.send({ type: 'response.create' });
    await client.wait(ALL_MS + 1000);
    const { waterfall, heard_ms } = traceOf(client);
    expect(heard_ms).toBe(ALL_MS);
    expect(waterfall.total_ms).toBeLessThan(200);
    const histogram = (await rig.metrics.text())
      .split('\n')
      .filter(line => /play-out.*_?sum|_sum.*play-out/.test(line));
    for (const line of histogram) expect(Number(line.split(' ').at(-1))).toBeLessThan(0.2);
  });

  it('lives on when the one before is truncated late', async () => {
    const { client } = open({}, 20);
    const first = await ask(client, 200 * 20 + 100); // Made faster than it plays: all is sent, half is heard.
    expect(client.last('response.done').response.status).toBe('completed');
    client.text('And again.');
    client.send({ type: 'response.create' });
    await client.wait(200);
    client.truncate(first, 4000);
    await client.wait(30_000);
    const done = client.all('response.done').map(({ response }) => response.status);
    expect(done).toEqual(['completed', 'completed']);
    expect(client.last(TRUNCATED)).toMatchObject({ item_id: first, audio_end_ms: 4000 });
    expect(traceOf(client)).toMatchObject({ heard_ms: ALL_MS, interrupted: false });
  });
});

describe('a client’s own word', () => {
  it('counts beyond the clock: it may play faster than real time', async () => {
    const { client } = open();
    const item = await ask(client, 23);
    client.truncate(item, 780);
    expect(client.last(TRUNCATED).audio_end_ms).toBe(780);
    expect(transcriptOf(client, item)).toBe('One,');
  });

  it('past the end is cut at the end, which the event tells; the words stay', async () => {
    const { client } = open();
    const item = await ask(client, ALL_MS - 500);
    client.truncate(item, ALL_MS + 700.5);
    expect(client.last(TRUNCATED)).toMatchObject({ item_id: item, audio_end_ms: ALL_MS });
    expect(transcriptOf(client, item)).toMatch(/^One, two, .* ten\.$/);
    expect(client.last('conversation.item.retrieved').item.status).toBe('completed');
    expect(client.all('error')).toEqual([]);
    // The same of a reply that was over.
    await client.wait(2000);
    client.truncate(item, ALL_MS + 5000);
    expect(client.last(TRUNCATED).audio_end_ms).toBe(ALL_MS);
  });

  it('replaces what was assumed when somebody interrupted, up or down, in the context too', async () => {
    const { client, rig } = open();
    await ask(client, 800);
    await client.say(400);
    const guess = client.last(TRUNCATED);
    client.truncate(guess.item_id, 3000);
    expect(client.last(TRUNCATED).audio_end_ms).toBe(3000);
    expect(transcriptOf(client, guess.item_id)).toBe('One, two, three, four, five,');
    await client.silence(2000);
    expect(rig.contextText().replaceAll('</pause>', '')).toContain(
      'One, two, three, four, five, </longcat_s>',
    );
  });
});

describe('a setting that is withdrawn', () => {
  const beneath = { type: 'server_vad', interrupt_response: false };

  it('no longer holds up the next answer: nothing is active once all was sent', async () => {
    const { client } = open({ audio: { input: { turn_detection: beneath } } });
    await ask(client, 500);
    await client.say(600);
    await client.silence(1500);
    expect(client.all('response.created')).toHaveLength(2);
    const waitedMs =
      client.last('response.created').atMs - client.last('input_audio_buffer.speech_stopped').atMs;
    expect(waitedMs).toBeLessThan(100);
  });

  it('still lets a reply that is being made end first', async () => {
    const { client } = open({ audio: { input: { turn_detection: beneath } } }, 50);
    await ask(client, 500);
    await client.say(600);
    await client.silence(12_000);
    const [first, second] = client.all('response.created');
    expect(second.atMs).toBe(client.all('response.done')[0].atMs);
    expect(first.atMs).toBeLessThan(second.atMs);
  });

  it('takes back the answer that was owed', async () => {
    const { client } = open({ audio: { input: { turn_detection: beneath } } }, 50);
    await ask(client, 500);
    await client.say(600);
    await client.silence(1500);
    client.configure({
      audio: { input: { turn_detection: { type: 'server_vad', create_response: false } } },
    });
    await client.silence(20_000);
    expect(client.all('response.created')).toHaveLength(1);
  });

  it('takes back the reply that was begun with it', async () => {
    const { client } = open();
    await client.say(600);
    await client.silence(300);
    expect(client.last('longcat.state').state).toBe('speculating');
    client.configure({ output_modalities: ['text'] });
    await client.silence(1500);
    const { response } = client.last('response.done');
    expect(response.output_modalities).toEqual(['text']);
    expect(response.output[0].content[0].type).toBe('output_text');
    expect(client.all('response.output_audio.delta')).toEqual([]);
  });

  it('takes back the interruption that it had begun', async () => {
    const rig = wireRig({ replies: [COUNT], words: true });
    const client = rig.connect();
    client.configure({ longcat: { extensions: true } });
    await ask(client, 1000);
    await client.say(60);
    expect(client.last('longcat.duck').gain_db).toBeLessThan(0);
    client.configure({ audio: { input: { turn_detection: beneath } } });
    await client.say(600);
    await client.silence(300);
    expect(client.last('longcat.duck').gain_db).toBe(0);
    expect(client.all(TRUNCATED)).toEqual([]);
  });

  it('stops the timer that it had started; a truncated reply is over for it', async () => {
    const timeout = (idle_timeout_ms: number | null) => ({
      audio: { input: { turn_detection: { type: 'server_vad', idle_timeout_ms } } },
    });
    const { client } = open(timeout(5000));
    const item = await ask(client, 1000);
    client.truncate(item, 1000);
    await client.wait(4900);
    expect(client.all('input_audio_buffer.timeout_triggered')).toEqual([]);
    await client.wait(200);
    expect(client.all('input_audio_buffer.timeout_triggered')).toHaveLength(1);
    client.configure(timeout(null));
    await client.wait(60_000);
    expect(client.all('input_audio_buffer.timeout_triggered')).toHaveLength(1);
  });
});

/** A client’s loudspeaker: plays what comes, in order, and forgets what it is told to stop. */
class Loudspeaker {
  readonly sentMs = new Map<string, number>();
  readonly startMs = new Map<string, number>();
  #queue: { readonly itemId: string; startMs: number; readonly lengthMs: number }[] = [];

  play(itemId: string, lengthMs: number, nowMs: number): void {
    const last = this.#queue.at(-1);
    const startMs = Math.max(nowMs, last ? last.startMs + last.lengthMs : 0);
    this.#queue.push({ itemId, startMs, lengthMs });
    this.sentMs.set(itemId, (this.sentMs.get(itemId) ?? 0) + lengthMs);
    if (!this.startMs.has(itemId)) this.startMs.set(itemId, startMs);
  }

  heardMs(itemId: string, nowMs: number): number {
    const parts = this.#queue.filter(part => part.itemId === itemId);
    return parts.reduce(
      (sum, { startMs, lengthMs }) => sum + Math.min(lengthMs, Math.max(0, nowMs - startMs)),
      0,
    );
  }

  playing(nowMs: number): string | null {
    return this.#queue.find(({ startMs, lengthMs }) => startMs + lengthMs > nowMs)?.itemId ?? null;
  }

  stop(): void {
    this.#queue = [];
  }
}

describe('random replies, truncates, cancels and interruptions', () => {
  it('leave every account right: what the client says is what counts, and each reply plays when it comes', async () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('ask' as const), value: fc.constant(0) }),
      fc.record({ kind: fc.constant('wait' as const), value: fc.nat(6000) }),
      fc.record({
        kind: fc.constantFrom('stop' as const, 'cancel' as const, 'speak' as const),
        value: fc.constant(0),
      }),
      fc.record({ kind: fc.constant('hurry' as const), value: fc.nat(13_000) }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 3, maxLength: 12 }),
        fc.constantFrom(0, 30),
        async (steps, stepMs) => {
          const { client, rig } = open({}, stepMs);
          const speaker = new Loudspeaker();
          const words = new Map<string, number>();
          let seen = 0;
          const listen = () => {
            for (; seen < client.events.length; seen++) {
              const event = client.events[seen];
              if (event.type === 'response.output_audio.delta')
                speaker.play(event.item_id, Buffer.from(event.delta, 'base64').length / 48, event.atMs);
            }
          };
          /** What the protocol asks of a client that is to be quiet. */
          const stop = (wordMs?: number) => {
            listen();
            const nowMs = rig.clock.nowMs();
            const itemId = speaker.playing(nowMs);
            if (itemId === null) return;
            const word = Math.floor(wordMs ?? speaker.heardMs(itemId, nowMs));
            speaker.stop();
            words.set(itemId, Math.min(word, Math.floor(speaker.sentMs.get(itemId)!)));
            client.truncate(itemId, word);
            expect(client.last(TRUNCATED)).toMatchObject({
              item_id: itemId,
              audio_end_ms: words.get(itemId),
            });
          };
          for (const { kind, value } of steps) {
            if (kind === 'ask') {
              stop(); // One thing at a time: this client asks when it is quiet.
              client.send({ type: 'response.cancel' });
              client.text('Count.');
              client.send({ type: 'response.create' });
            } else if (kind === 'wait') await client.wait(value);
            else if (kind === 'stop') stop();
            else if (kind === 'hurry') stop(value);
            else if (kind === 'cancel') {
              client.send({ type: 'response.cancel' });
              stop();
            } else {
              await client.say(300);
              stop();
              await client.silence(1200);
            }
            listen();
          }
          await client.wait(ALL_MS * 3);
          listen();
          for (const { trace } of client.all('longcat.turn.trace')) {
            expect(trace.heard_ms).toBeLessThanOrEqual(ALL_MS);
            if (trace.timeline.first_audio === null || trace.heard_ms === 0) continue;
            const starts = [...speaker.startMs.values()];
            expect(Math.min(...starts.map(at => Math.abs(at - trace.timeline.first_audio)))).toBeLessThan(2);
          }
          for (const [itemId, word] of words) {
            const last = client.all(TRUNCATED).findLast(event => event.item_id === itemId)!;
            expect(last.audio_end_ms).toBe(word);
          }
          expect(client.closed).toBeNull();
          expect(rig.runtime.sessions.size).toBe(1);
        },
      ),
      { numRuns: 12 },
    );
  }, 120_000);
});

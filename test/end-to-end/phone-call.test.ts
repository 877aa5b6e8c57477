/**
 * nano on the telephone: asked in 8 kHz µ-law through a fake Twilio, interrupted, and asked where it was. All in
 * virtual time.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRandom, engineOnClock, VirtualClock } from '../../actors/core/index.ts';
import { createRuntime, type Runtime } from '../../actors/index.ts';
import { configSchema } from '../../cli/config/schema.ts';
import { sessionDefaults } from '../../cli/config/session-defaults.ts';
import { TwilioSide } from '../../cli/fake-carrier/twilio-side.ts';
import { decodeWav } from '../../cli/media/wav-format.ts';
import { createEngine, type Engine, fastestEngine } from '../../kernels/engine/index.ts';
import { CODECS, resampleAll } from '../../protocols/media/index.ts';
import { DEFAULT_DIGITS } from '../../protocols/telephone/index.ts';
import { twilioDoor } from '../../protocols/twilio/index.ts';
import { type PhoneCaller, PhoneExchange } from '../support/phone-rig.ts';

/** As a telephone carries it. */
function narrow(name: string): Buffer {
  const { channels, sampleRate } = decodeWav(
    readFileSync(new URL(`../fixtures/talk/${name}.wav`, import.meta.url)),
  );
  return CODECS['mu-law'].encode(resampleAll(channels[0], sampleRate, 8000));
}

const words = (text: string) => text.toLowerCase().match(/[a-z]+/g) ?? [];

describe('a telephone call with nano', () => {
  let nano: Engine;
  let runtime: Runtime;
  beforeAll(async () => {
    nano = await createEngine({ kind: fastestEngine().kind, modelDirectory: 'models/nano' });
  });
  afterAll(async () => {
    await runtime?.close();
    await nano.close();
  });

  async function call(): Promise<PhoneCaller> {
    const clock = new VirtualClock();
    runtime = createRuntime({ engine: engineOnClock(nano, clock), clock, random: createRandom(1) });
    const exchange = new PhoneExchange(runtime, clock, sessionDefaults(configSchema.parse({})));
    const options = { authToken: null, accountSid: null, publicUrl: null, digits: DEFAULT_DIGITS };
    await exchange.openDoor(twilioDoor(options));
    const ids = { streamSid: 'MZ1', callSid: 'CA1', accountSid: 'AC1', parameters: {} };
    return exchange.call('/twilio', new TwilioSide(ids), { networkMs: 40 });
  }

  it('is understood, stops when the caller speaks, and knows what the caller heard of it', async () => {
    const caller = await call();
    await caller.silence(400);
    await caller.speak(narrow('count-to-ten'));
    await caller.until(() => caller.call.queue.isPlaying);
    await caller.silence(2500);
    await caller.speak(narrow('where-stopped'));
    await caller.until(() => caller.all('response.done').length === 2);
    await caller.silence(3000);

    expect(caller.session.settings.turnDetection).toMatchObject({ threshold: 0.6, endpointSilenceMs: 700 });
    expect(caller.call.complaints).toEqual([]);
    expect(caller.call.clears).toBe(1);
    const [count, where] = caller.all('response.done').map(({ itemId }) => itemId);
    const [cut] = caller.all('item.truncated');
    expect(cut.itemId).toBe(count);
    // Of what was played until the clear came, the first reply's part is all before the second's.
    const secondMs = caller.all('turn.trace').at(-1)!.trace.heardMs;
    expect(cut.audioEndMs).toBeLessThanOrEqual(caller.playedMs - secondMs);
    expect(words(cut.text).slice(0, 3)).toEqual(['one', 'two', 'three']);
    const answer = caller
      .all('response.text')
      .flatMap(({ itemId, delta }) => (itemId === where ? [delta] : []))
      .join('');
    expect(words(answer)).toContain(words(cut.text).at(-1));
    expect(caller.call.queue.underruns).toBe(0);
  });
});

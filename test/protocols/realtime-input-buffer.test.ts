import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createAudioDecoder } from '../../protocols/realtime/audio-format.ts';
import { pcm } from '../support/realtime-client.ts';
import { serveClients } from '../support/served-clients.ts';

const { connect, session } = serveClients();
const manual = { type: 'session.update', session: { audio: { input: { turn_detection: null } } } };
const append = (bytes: Buffer) => ({
  type: 'input_audio_buffer.append',
  audio: bytes.toString('base64'),
});

describe('sound cut anywhere', () => {
  it('is the same sound, also where a cut goes through a sample', () => {
    const bytes = Buffer.from(pcm(300, 0.4), 'base64');
    const decode = (parts: readonly Buffer[]) => {
      const decoder = createAudioDecoder({ type: 'audio/pcm', rate: 24_000 });
      return parts.flatMap(part => [...decoder.push(part)]);
    };
    const whole = decode([bytes]);
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length), { maxLength: 20 }), cuts => {
        const places = [0, ...cuts.sort((a, b) => a - b), bytes.length];
        const parts = places.slice(1).map((end, i) => bytes.subarray(places[i], end));
        expect(decode(parts)).toEqual(whole);
      }),
      { numRuns: 60, seed: 7 },
    );
  });

  it('arrives whole over the wire: 24001 bytes, 23999 bytes, the rest', async () => {
    const heard = async (cuts: readonly number[]) => {
      const client = await connect();
      const bytes = Buffer.from(pcm(1500, 0.4), 'base64');
      client.send(manual);
      [0, ...cuts].forEach((from, i) => {
        client.send(append(bytes.subarray(from, cuts[i] ?? bytes.length)));
      });
      client.send({ type: 'input_audio_buffer.commit' });
      const { item } = await client.next('conversation.item.done');
      expect(client.types()).not.toContain('error');
      const kept = session(client.events[0].session.id).items.find(({ id }) => id === item.id);
      return [...(kept!.content[0] as { samples: Float32Array }).samples];
    };
    const whole = await heard([]);
    expect(whole.length).toBeGreaterThan(23_900);
    expect(await heard([24_001, 48_000])).toEqual(whole);
    expect(await heard([1])).toEqual(whole);
  });

  it.each(['commit', 'clear'] as const)(
    'begins anew after %s: half a sample left over is dropped',
    async by => {
      const client = await connect();
      client.send(manual);
      client.send(append(Buffer.concat([Buffer.from(pcm(200, 0), 'base64'), Buffer.from([0x55])])));
      client.send({ type: `input_audio_buffer.${by}` });
      // Were the byte kept, every sample from here on would be made of two halves: noise.
      client.send(append(Buffer.from(pcm(200, 0), 'base64')));
      client.send({ type: 'input_audio_buffer.commit' });
      const committed = by === 'commit' ? 2 : 1;
      let itemId = '';
      for (let i = 0; i < committed; i++) itemId = (await client.next('conversation.item.done')).item.id;
      const item = session(client.events[0].session.id).items.find(({ id }) => id === itemId);
      const { samples } = item!.content[0] as { samples: Float32Array };
      expect(samples.every(sample => Math.abs(sample) < 1e-6)).toBe(true);
    },
  );
});

describe('a commit of less than 100 ms', () => {
  it('is refused as stock clients know it, and the sound stays for the next commit', async () => {
    const client = await connect();
    client.send(manual);
    const commit = { type: 'input_audio_buffer.commit' };
    expect(await client.refused(commit)).toMatchObject({
      type: 'invalid_request_error',
      code: 'input_audio_buffer_commit_empty',
    });
    client.send({ type: 'input_audio_buffer.append', audio: pcm(99, 0.3) });
    const { code, message } = await client.refused(commit);
    expect([code, message]).toEqual([
      'input_audio_buffer_commit_empty',
      expect.stringContaining('it holds 99.00 ms'),
    ]);
    client.send({ type: 'input_audio_buffer.append', audio: pcm(1, 0.3) });
    client.send(commit);
    const { item_id } = await client.next('input_audio_buffer.committed');
    expect(item_id).toMatch(/^item_/);
    // What was committed does not count again.
    expect(await client.refused(commit)).toMatchObject({ code: 'input_audio_buffer_commit_empty' });
    client.send({ type: 'input_audio_buffer.append', audio: pcm(300, 0.3) });
    client.send({ type: 'input_audio_buffer.clear' });
    expect(await client.refused(commit)).toMatchObject({ code: 'input_audio_buffer_commit_empty' });
  });
});

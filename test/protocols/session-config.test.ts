import { describe, expect, it } from 'vitest';
import type { SessionSettings } from '../../actors/session-api.ts';
import { DEFAULT_SETTINGS, TURN_PRESETS } from '../../actors/turn-taking/index.ts';
import { initialConfig, mergeConfig, toSettings } from '../../protocols/realtime/session-config.ts';
import { sessionFieldsSchema } from '../../protocols/realtime/session-fields.ts';

const defaults: SessionSettings = {
  ...DEFAULT_SETTINGS,
  maxReplySteps: 512,
  turnDetection: {
    mode: 'vad',
    threshold: 0.4,
    prefixPaddingMs: 250,
    endpointSilenceMs: 650,
    speculateSilenceMs: 200,
    createResponse: true,
    interruptResponse: true,
  },
};
const start = initialConfig('nano', 'realtime', defaults);
const merge = (fields: unknown, from = start, hasSpoken = false) =>
  mergeConfig(from, sessionFieldsSchema.parse(fields), { defaults, hasSpoken });
const turnDetection = (fields: unknown) => merge({ audio: { input: { turn_detection: fields } } });

describe('the effective configuration', () => {
  it('starts from the operator settings', () => {
    expect(start.audio.input.turn_detection).toEqual({
      type: 'server_vad',
      threshold: 0.4,
      prefix_padding_ms: 250,
      silence_duration_ms: 650,
      idle_timeout_ms: null,
      create_response: true,
      interrupt_response: true,
    });
    expect(toSettings(start, defaults).turnDetection).toEqual(defaults.turnDetection);
  });

  it('turns eagerness into the silence that ends a turn', () => {
    const silence = (eagerness?: string) => {
      const settings = toSettings(
        turnDetection({ type: 'semantic_vad', ...(eagerness ? { eagerness } : {}) }),
        defaults,
      );
      return settings.turnDetection?.mode === 'vad' ? settings.turnDetection.endpointSilenceMs : null;
    };
    expect([silence('low'), silence('medium'), silence('auto'), silence('high'), silence()]).toEqual([
      1200, 650, 650, 400, 650,
    ]);
  });

  it('lets eagerness choose a policy whose endpoint follows the meaning, by the line where it is auto', () => {
    const of = (config: ReturnType<typeof merge>) => {
      const { turnDetection: detection } = toSettings(config, defaults);
      return detection?.mode === 'vad' ? detection.meaning : undefined;
    };
    const auto = { turn_detection: { type: 'semantic_vad', eagerness: 'auto' } };
    expect(of(turnDetection({ type: 'semantic_vad', eagerness: 'low' }))).toEqual(
      TURN_PRESETS.patient.meaning,
    );
    expect(of(merge({ audio: { input: auto } }))).toEqual(TURN_PRESETS.balanced.meaning);
    expect(of(merge({ audio: { input: { ...auto, format: 'g711_ulaw' } } }))).toEqual(
      TURN_PRESETS.telephone.meaning,
    );
    expect(of(turnDetection({ type: 'server_vad', silence_duration_ms: 900 }))).toBeUndefined();
  });

  it('has no turn detection when it is null, and a fresh one afterwards', () => {
    const manual = turnDetection(null);
    expect(manual.audio.input.turn_detection).toBeNull();
    expect(toSettings(manual, defaults).turnDetection).toEqual({ mode: 'manual' });
    const again = merge(
      { audio: { input: { turn_detection: { type: 'server_vad', create_response: false } } } },
      manual,
    );
    expect(again.audio.input.turn_detection).toMatchObject({
      silence_duration_ms: 650,
      create_response: false,
    });
  });

  it('does not carry fields from one kind of turn detection to the other', () => {
    const semantic = turnDetection({ type: 'semantic_vad', eagerness: 'high' });
    expect(semantic.audio.input.turn_detection).toEqual({
      type: 'semantic_vad',
      eagerness: 'high',
      create_response: true,
      interrupt_response: true,
    });
  });

  it('understands the legacy format names and echoes the GA objects', () => {
    const formats = ['pcm16', 'g711_ulaw', 'g711_alaw'].map(
      format => merge({ audio: { input: { format } } }).audio.input.format,
    );
    expect(formats).toEqual([
      { type: 'audio/pcm', rate: 24000 },
      { type: 'audio/pcmu' },
      { type: 'audio/pcma' },
    ]);
    expect(
      sessionFieldsSchema.safeParse({ audio: { input: { format: { type: 'audio/pcm', rate: 16000 } } } })
        .success,
    ).toBe(false);
  });

  it('says what is in effect, not what was wished', () => {
    const { audio } = merge({
      audio: { input: { noise_reduction: { type: 'near_field' } }, output: { speed: 1.4 } },
    });
    expect([audio.input.noise_reduction, audio.output.speed]).toEqual([null, 1.4]);
  });

  it('bounds the reply by the operator setting', () => {
    expect(toSettings(merge({ max_output_tokens: 4096 }), defaults).maxReplySteps).toBe(512);
    expect(toSettings(merge({ max_output_tokens: 10 }), defaults).maxReplySteps).toBe(10);
    expect(toSettings(merge({ max_output_tokens: 'inf' }), defaults).maxReplySteps).toBe(512);
  });

  it('leaves the ends of turns to clients of transcription models that know none, unless they say otherwise', () => {
    const listening = initialConfig('nano', 'transcription', defaults);
    const detection = (model: string, input: object = {}, from = listening) =>
      merge({ audio: { input: { transcription: { model }, ...input } } }, from).audio.input.turn_detection;
    expect(detection('gpt-realtime-whisper')).toBeNull();
    expect(detection('gpt-live-transcribe')).toBeNull();
    expect(detection('gpt-4o-transcribe')).toMatchObject({ type: 'server_vad' });
    expect(detection('gpt-realtime-whisper', {}, start)).toMatchObject({ type: 'server_vad' });
    const vad = { turn_detection: { type: 'server_vad' } };
    expect(detection('gpt-realtime-whisper', vad)).toMatchObject({ type: 'server_vad' });
  });

  it('refuses another tracing, another type and, after speech, another voice', () => {
    const traced = merge({ tracing: 'auto' });
    expect(merge({ tracing: 'auto' }, traced).tracing).toBe('auto');
    expect(() => merge({ tracing: null }, traced)).toThrow(
      expect.objectContaining({ code: 'client.cannot_update_tracing' }),
    );
    expect(() => merge({ type: 'transcription' })).toThrow(
      expect.objectContaining({ code: 'client.invalid_value' }),
    );
    const voice = (name: string) => ({ audio: { output: { voice: name } } });
    expect(merge(voice('marin')).audio.output.voice).toBe('marin');
    expect(() => merge(voice('marin'), start, true)).toThrow(
      expect.objectContaining({ code: 'client.cannot_update_voice' }),
    );
  });
});

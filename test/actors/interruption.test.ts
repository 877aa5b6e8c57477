import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decideInterruption,
  INTERRUPTION,
  type InterruptionEvidence,
  isVoiceOfTurn,
  isWorthAnotherLook,
} from '../../actors/turn-taking/interruption.ts';

const evidence = (given: Partial<InterruptionEvidence>): InterruptionEvidence => ({
  lastedMs: 300,
  speechMs: 260,
  voicedMs: 200,
  quietMs: 140,
  ended: true,
  relativeDb: 0,
  recentDb: given.relativeDb ?? 0,
  words: '',
  wordsComplete: true,
  ...given,
});

describe('what takes the turn from the agent', () => {
  it.each(['stop', 'Wait!', 'no', 'please stop', 'okay stop'])('“%s” does, before it is over', words => {
    const going = { words, wordsBefore: words, ended: false, wordsComplete: false, relativeDb: -2 };
    expect(decideInterruption(evidence({ ...going, lastedMs: 460, speechMs: 380 }))).toBe('yield');
  });

  it.each(['mm-hm', 'yes', 'Okay.', 'uh-huh yeah', 'I see'])('“%s” does not', words => {
    expect(decideInterruption(evidence({ words }))).toBe('resume');
  });

  it('a backchannel may still become more than that', () => {
    expect(decideInterruption(evidence({ words: 'yes', wordsComplete: false }))).toBe('undecided');
    expect(decideInterruption(evidence({ words: 'yes but how', speechMs: 500 }))).toBe('yield');
  });

  it('words from afar do not', () => {
    expect(decideInterruption(evidence({ words: 'what time', relativeDb: -14 }))).toBe('resume');
  });

  it('a cough or a door does not: short, without words', () => {
    expect(decideInterruption(evidence({ lastedMs: 220, speechMs: 120, voicedMs: null }))).toBe('resume');
    expect(decideInterruption(evidence({ lastedMs: 380, speechMs: 300, voicedMs: 0 }))).toBe('resume');
  });

  it('a command said low is not: a caption head hears one in many a word', () => {
    expect(decideInterruption(evidence({ words: 'wait', relativeDb: -5 }))).toBe('resume');
  });

  it('what begins as a request does need not be loud, what agrees must be louder', () => {
    const low = { relativeDb: -4.5, ended: false, lastedMs: INTERRUPTION.decideMs, wordsComplete: false };
    expect(decideInterruption(evidence({ ...low, words: 'can you' }))).toBe('yield');
    expect(decideInterruption(evidence({ ...low, words: 'how' }))).toBe('resume');
    expect(decideInterruption(evidence({ ...low, relativeDb: -2.5, words: 'um-hum' }))).toBe('resume');
    expect(decideInterruption(evidence({ ...low, relativeDb: -2.5, words: 'nine' }))).toBe('yield');
    expect(decideInterruption(evidence({ ...low, relativeDb: -7, words: 'please' }))).toBe('resume');
  });

  it('a word that began low and is now as loud as a turn does', () => {
    const rising = { relativeDb: -3.5, recentDb: -0.1, ended: false, lastedMs: INTERRUPTION.decideMs };
    expect(decideInterruption(evidence({ ...rising, words: 'is' }))).toBe('yield');
    expect(decideInterruption(evidence({ ...rising, words: '' }))).toBe('resume');
    expect(decideInterruption(evidence({ ...rising, words: 'is', recentDb: -2 }))).toBe('resume');
  });

  it('a blip of a voice is waited for: a word may follow', () => {
    const blip = evidence({ lastedMs: 200, speechMs: 60, voicedMs: 60, relativeDb: -1 });
    expect(decideInterruption(blip)).toBe('undecided');
    expect(decideInterruption({ ...blip, lastedMs: INTERRUPTION.decideMs })).toBe('resume');
    expect(decideInterruption({ ...blip, lastedMs: 300, speechMs: 160, voicedMs: 160 })).toBe('yield');
  });

  it('the first vowel of a low word is not a loud word yet', () => {
    const brief = { lastedMs: INTERRUPTION.decideMs, speechMs: 60, voicedMs: 60, relativeDb: -1.8 };
    expect(decideInterruption(evidence(brief))).toBe('resume');
    expect(decideInterruption(evidence({ speechMs: 240, relativeDb: -1.8 }))).toBe('yield');
  });

  it('a backchannel that falls silent as it must be decided is over', () => {
    const late = { words: 'okay', ended: false, lastedMs: INTERRUPTION.decideMs, wordsComplete: false };
    expect(decideInterruption(evidence({ ...late, quietMs: 80 }))).toBe('resume');
    expect(decideInterruption(evidence({ ...late, quietMs: 0 }))).toBe('undecided');
    const onAndOn = { ...late, quietMs: 0, lastedMs: INTERRUPTION.agreesMs, speechMs: 700, relativeDb: 2 };
    expect(decideInterruption(evidence(onAndOn))).toBe('yield');
  });

  it('a backchannel as loud as a turn, or louder, is known by its word', () => {
    for (const relativeDb of [-3, 0, 3])
      for (const words of ['right', 'okay', 'uh-huh', 'yes', 'um-hum'])
        expect(decideInterruption(evidence({ words, relativeDb, lastedMs: 520, speechMs: 380 }))).toBe(
          'resume',
        );
  });

  it('a sound that is now and then like speech, without a word, is none', () => {
    const torn = {
      ...{ lastedMs: INTERRUPTION.decideMs, speechMs: 160, voicedMs: 140, quietMs: 0, ended: false },
      likeness: 0.9,
    };
    expect(decideInterruption(evidence(torn))).toBe('resume');
    expect(decideInterruption(evidence({ ...torn, words: 'what is' }))).toBe('yield');
    expect(decideInterruption(evidence({ ...torn, speechMs: 400 }))).toBe('yield');
    expect(decideInterruption(evidence({ ...torn, speechMs: 400, likeness: 0.1 }))).toBe('resume');
    expect(decideInterruption(evidence({ ...torn, speechMs: 400, likeness: null }))).toBe('yield');
  });

  it('a sound that is not like a voice at all is none, though a word or two was heard in it; many words are words', () => {
    const unlike = { ended: false, lastedMs: 300, likeness: 0.05, wordsComplete: false };
    expect(decideInterruption(evidence({ ...unlike, words: 'no' }))).toBe('undecided');
    const late = { ...unlike, lastedMs: INTERRUPTION.decideMs, speechMs: 420 };
    expect(decideInterruption(evidence({ ...late, words: 'no' }))).toBe('resume');
    expect(decideInterruption(evidence({ ...late, words: 'what is seven' }))).toBe('resume');
    expect(decideInterruption(evidence({ ...late, likeness: 0.15, words: 'what is seven' }))).toBe('yield');
    expect(decideInterruption(evidence({ ...late, likeness: 0.5, words: 'seven' }))).toBe('yield');
  });

  it('a word misheard in music is not believed until the sound is sure to be a voice, or it must be decided', () => {
    const early = { ended: false, lastedMs: 400, speechMs: 340, wordsComplete: false };
    for (const words of ['stop', 'what is']) {
      expect(decideInterruption(evidence({ ...early, words, wordsBefore: words, likeness: 0.9 }))).toBe(
        'yield',
      );
      expect(decideInterruption(evidence({ ...early, words, likeness: 0.5 }))).toBe('undecided');
      const late = { ...early, words, lastedMs: INTERRUPTION.decideMs, speechMs: 420 };
      expect(decideInterruption(evidence({ ...late, likeness: 0.5 }))).toBe('yield');
      expect(decideInterruption(evidence({ ...late, likeness: 0.2 }))).toBe('resume');
    }
  });

  it('half a word is none: what begins like one may become a backchannel', () => {
    const early = { ended: false, wordsComplete: false, likeness: 0.95 };
    expect(decideInterruption(evidence({ ...early, lastedMs: 200, words: 'no' }))).toBe('undecided');
    expect(decideInterruption(evidence({ ...early, lastedMs: 280, words: 'set' }))).toBe('undecided');
    expect(decideInterruption(evidence({ ...early, lastedMs: 400, words: 'um-hum' }))).toBe('undecided');
    const stop = { ...early, lastedMs: INTERRUPTION.commandMs, words: 'stop' };
    expect(decideInterruption(evidence({ ...stop, wordsBefore: 'set' }))).toBe('undecided');
    expect(decideInterruption(evidence({ ...stop, wordsBefore: 'stop' }))).toBe('yield');
    const no = { ...stop, words: 'no', wordsBefore: 'no' };
    expect(decideInterruption(evidence(no))).toBe('undecided');
    expect(decideInterruption(evidence({ ...no, lastedMs: INTERRUPTION.doubtfulMs }))).toBe('yield');
  });

  it('a command of which the head is sure is believed sooner, one that it hears faintly is none', () => {
    const stop = { ended: false, wordsComplete: false, likeness: 0.9, words: 'stop', wordsBefore: 'stop' };
    const sure = { ...stop, confidences: [0.99], surest: 0.99, lastedMs: INTERRUPTION.sureCommandMs };
    expect(decideInterruption(evidence(sure))).toBe('yield');
    expect(decideInterruption(evidence({ ...sure, wordsBefore: 'set' }))).toBe('undecided');
    expect(decideInterruption(evidence({ ...sure, likeness: 0.6 }))).toBe('undecided');
    expect(decideInterruption(evidence({ ...sure, confidences: [0.9] }))).toBe('undecided');
    expect(decideInterruption(evidence({ ...sure, words: 'no', wordsBefore: 'no' }))).toBe('undecided');
    const faint = { ...stop, confidences: [0.4], surest: 0.4, relativeDb: -2, lastedMs: 460 };
    expect(decideInterruption(evidence(faint))).toBe('undecided');
    expect(decideInterruption(evidence({ ...faint, ended: true, wordsComplete: true }))).toBe('resume');
    const please = { ...sure, words: 'please', wordsBefore: '', lastedMs: INTERRUPTION.commandMs };
    expect(decideInterruption(evidence(please))).toBe('yield');
    expect(decideInterruption(evidence({ ...please, confidences: [0.8] }))).toBe('undecided');
  });

  it('a laugh or a ring, somewhat like a voice and faintly like a word, is neither', () => {
    const late = { ended: false, lastedMs: INTERRUPTION.decideMs, speechMs: 420, words: 'set' };
    const decided = (likeness: number, surest: number, given: Partial<InterruptionEvidence> = {}) =>
      decideInterruption(evidence({ ...late, likeness, surest, confidences: [surest], ...given }));
    expect(decided(0.7, 0.5)).toBe('resume');
    expect(decided(0.7, 0.9)).toBe('yield');
    expect(decided(0.9, 0.5)).toBe('yield');
    expect(decided(0.5, 0.8, { words: 'what is seven', confidences: [0.8, 0.8, 0.8] })).toBe('yield');
    // Whose model hears no words, or hears none for long, must be like a voice alone.
    expect(decided(0.9, 0, { words: '', confidences: [] })).toBe('yield');
    expect(decided(0.7, 0, { words: '', confidences: [] })).toBe('resume');
  });

  it('two words in the time of one were not said: a backchannel was misheard', () => {
    const short = { lastedMs: 440, speechMs: 280, relativeDb: 0 };
    for (const words of ['no light', 'set enough', 'you goodbye']) {
      expect(decideInterruption(evidence({ ...short, words, ended: false }))).toBe('undecided');
      expect(decideInterruption(evidence({ ...short, words, lastedMs: INTERRUPTION.decideMs }))).toBe(
        'resume',
      );
    }
    expect(decideInterruption(evidence({ ...short, words: 'please stop' }))).toBe('yield');
    expect(decideInterruption(evidence({ ...short, words: 'no light', speechMs: 400 }))).toBe('yield');
  });

  it('a piece of a sentence says nothing by itself', () => {
    const over = { lastedMs: 460, speechMs: 300, relativeDb: 0 };
    for (const words of ['turn', 'add', 'um-hum turn'])
      expect(decideInterruption(evidence({ ...over, words }))).toBe('resume');
    expect(decideInterruption(evidence({ ...over, words: 'help' }))).toBe('yield');
    expect(decideInterruption(evidence({ ...over, words: 'set a timer', speechMs: 600 }))).toBe('yield');
  });

  it('a word in a blip of sound is none, be it a command', () => {
    const blip = { speechMs: 60, voicedMs: 60, lastedMs: INTERRUPTION.decideMs, likeness: 0.8 };
    expect(decideInterruption(evidence({ ...blip, words: 'stop' }))).toBe('resume');
  });

  it('a thump with a little pitch is a thump, a loud “stop” without one is a command', () => {
    expect(decideInterruption(evidence({ speechMs: 80, voicedMs: 40, words: 'bye' }))).toBe('resume');
    const whispered = { speechMs: 140, voicedMs: 0, relativeDb: 3 };
    expect(decideInterruption(evidence({ ...whispered, words: 'stop' }))).toBe('yield');
    expect(decideInterruption(evidence({ ...whispered, words: 'take' }))).toBe('resume');
    expect(decideInterruption(evidence({ ...whispered, wordsComplete: false }))).toBe('undecided');
  });

  it('a cough is none whatever word was heard in it', () => {
    expect(decideInterruption(evidence({ words: 'wait', voicedMs: 0 }))).toBe('resume');
    expect(isVoiceOfTurn(evidence({ voicedMs: 0 }))).toBe(false);
  });

  it('a short word with a pitch is a word, loud or low', () => {
    expect(decideInterruption(evidence({ speechMs: 140, voicedMs: 80 }))).toBe('yield');
    expect(decideInterruption(evidence({ speechMs: 140, voicedMs: 80, relativeDb: -5 }))).toBe('resume');
  });

  it('what was taken for a backchannel is looked at again if it goes on', () => {
    const low = evidence({ relativeDb: -5, ended: false, lastedMs: INTERRUPTION.decideMs });
    expect(decideInterruption(low)).toBe('resume');
    expect(isWorthAnotherLook(low)).toBe(true);
    expect(decideInterruption({ ...low, lastedMs: INTERRUPTION.goesOnMs })).toBe('yield');
    expect(isWorthAnotherLook({ ...low, relativeDb: -15 })).toBe(false);
    expect(isWorthAnotherLook({ ...low, voicedMs: 0 })).toBe(false);
  });

  it('a loud word that was not understood does, a low one does not', () => {
    expect(decideInterruption(evidence({ relativeDb: 0 }))).toBe('yield');
    expect(decideInterruption(evidence({ relativeDb: -6 }))).toBe('resume');
  });

  it('speech that goes on does, whether or not the model hears words', () => {
    const lasting = { ended: false, lastedMs: INTERRUPTION.decideMs, wordsComplete: false };
    expect(decideInterruption(evidence({ ...lasting }))).toBe('yield');
    expect(decideInterruption(evidence({ ...lasting, words: null }))).toBe('yield');
    expect(decideInterruption(evidence({ ...lasting, relativeDb: -15 }))).toBe('resume');
  });

  it('is decided within 500 ms unless only backchannels were heard so far', () => {
    const any = fc.record({
      lastedMs: fc.integer({ min: INTERRUPTION.decideMs, max: 5000 }),
      speechMs: fc.integer({ min: 0, max: 5000 }),
      voicedMs: fc.option(fc.integer({ min: 0, max: 5000 })),
      quietMs: fc.integer({ min: 0, max: 140 }),
      ended: fc.boolean(),
      relativeDb: fc.option(fc.integer({ min: -40, max: 20 })),
      recentDb: fc.option(fc.integer({ min: -40, max: 20 })),
      words: fc.option(fc.constantFrom('', 'stop', 'hello there', 'no')),
      wordsComplete: fc.boolean(),
    });
    fc.assert(fc.property(any, given => decideInterruption(given) !== 'undecided'));
    expect(INTERRUPTION.decideMs).toBeLessThanOrEqual(500);
  });
});

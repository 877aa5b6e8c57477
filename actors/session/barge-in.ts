/**
 * Sound during the agent's speech that may take the turn, while it is decided: a tentative user turn whose words are asked for,
 * a play-out that is held where it can be, and the edges that wait for the decision.
 *
 *   speech.started ─► under way ── evidence, words ──► decideInterruption ─┬─ yield: it is a turn, the edges go on
 *                                                                          └─ resume: as if it had not been
 */
import type { Edge, SoundEvidence } from '../perceive/index.ts';
import { decideInterruption, isVoiceOfTurn, isWorthAnotherLook, TURN_DELAYS } from '../turn-taking/index.ts';
import type { Line } from './line.ts';
import type { Listening } from './listening.ts';

export interface BargeInDeps {
  readonly line: Line;
  readonly listening: Listening;
  readonly newId: (prefix: string) => string;
  /** The sound is a turn of its own; the edges that came meanwhile follow. */
  readonly onTurn: (started: Edge, itemId: string) => void;
  readonly onEdge: (edge: Edge) => void;
  /** It is not. */
  readonly onDismissed: () => void;
  readonly onCaption: (itemId: string, caption: Caption) => void;
}

export interface Caption {
  readonly delta: string;
  readonly text: string;
  readonly final: boolean;
}

interface Sound {
  readonly itemId: string;
  readonly started: Edge;
  readonly waiting: Edge[];
  /** What was shown of its caption when it became a turn. */
  caption: Caption | null;
  words: string;
  evidence: SoundEvidence | null;
  /** Words were asked for after its end; and how long it had lasted when they were asked for last, and whether that is answered. */
  asked: { atEnd: boolean; lastedMs: number; isAnswered: boolean };
  /** The play-out is held. */
  held: boolean;
  wordsComplete: boolean;
}

const NOTHING_KNOWN: SoundEvidence = {
  type: 'evidence',
  lastedMs: 0,
  speechMs: 0,
  voicedMs: null,
  likeness: null,
  quietMs: 0,
  ended: false,
  relativeDb: null,
  recentDb: null,
};

/** A sound that lasted this long when its words were asked for is worth asking about again at this age. */
function nextAskMs(askedMs: number): number {
  const { firstMs, everyMs } = TURN_DELAYS.askForWords;
  return askedMs === 0 ? firstMs : askedMs + everyMs;
}

export class BargeIn {
  readonly #deps: BargeInDeps;
  #sound: Sound | null = null;

  constructor(deps: BargeInDeps) {
    this.#deps = deps;
  }

  get underWay(): boolean {
    return this.#sound !== null;
  }

  begin(started: Edge): void {
    const { listening, newId, onCaption } = this.#deps;
    const itemId = newId('item');
    const sound: Sound = {
      ...{ itemId, started, waiting: [], caption: null, words: '', evidence: null },
      ...{ asked: { atEnd: false, lastedMs: 0, isAnswered: true }, held: false, wordsComplete: false },
    };
    this.#sound = sound;
    listening.beginTentative(itemId, caption => {
      if (this.#sound !== sound) {
        onCaption(itemId, caption);
        return;
      }
      sound.caption = { ...caption, delta: caption.text };
      sound.words = caption.text;
      this.#decide(sound);
    });
  }

  evidence(evidence: SoundEvidence): void {
    const sound = this.#sound;
    if (!sound) return;
    this.#hold(sound, evidence);
    sound.evidence = evidence;
    const { asked } = sound;
    if (evidence.ended && !asked.atEnd) {
      asked.atEnd = true;
      this.#ask(sound, true);
    } else if (!evidence.ended && asked.isAnswered && evidence.lastedMs >= nextAskMs(asked.lastedMs)) {
      asked.lastedMs = evidence.lastedMs;
      this.#ask(sound, false);
    }
    this.#decide(sound);
  }

  /** An edge of the sound: it waits; its end is decided on at once. */
  edge(edge: Edge): void {
    const sound = this.#sound;
    if (!sound) return;
    sound.waiting.push(edge);
    if (edge.type !== 'silence.endpoint') return;
    const lastedMs = Number.POSITIVE_INFINITY;
    const known = sound.evidence ?? NOTHING_KNOWN;
    sound.evidence = { ...known, lastedMs, ended: true };
    sound.wordsComplete = true;
    this.#decide(sound);
  }

  /** Somebody else has decided: it is a turn (committed by hand), or it was thrown away. */
  settle(takesTurn: boolean): void {
    const sound = this.#sound;
    if (!sound) return;
    if (takesTurn) this.#yield(sound);
    else {
      this.#sound = null;
      this.#release();
    }
  }

  /** A voice that is as loud as a turn silences the agent until it is known what it says. */
  #hold(sound: Sound, evidence: SoundEvidence): void {
    if (sound.held || !isVoiceOfTurn(evidence)) return;
    sound.held = true;
    this.#deps.line.playOut('control', { type: 'hold', held: true });
  }

  #release(): void {
    this.#deps.line.playOut('control', { type: 'hold', held: false });
  }

  #ask(sound: Sound, isComplete: boolean): void {
    sound.asked.isAnswered = false;
    this.#deps.listening.turn?.askForWords(words => {
      if (this.#sound !== sound) return;
      sound.asked.isAnswered = true;
      sound.words = words;
      if (isComplete) sound.wordsComplete = true;
      this.#decide(sound);
    });
  }

  #decide(sound: Sound): void {
    const { evidence, words, wordsComplete } = sound;
    if (this.#sound !== sound || !evidence) return;
    const decision = decideInterruption({ ...evidence, words, wordsComplete });
    if (decision === 'yield') this.#yield(sound);
    else if (decision === 'resume') this.#resume(evidence);
  }

  #yield(sound: Sound): void {
    const { line, listening, onCaption, onEdge, onTurn } = this.#deps;
    this.#sound = null;
    line.perceive('control', { type: 'decided', takesTurn: true, lookAgain: false });
    onTurn(sound.started, sound.itemId);
    // What was held is gone now, unless the agent had finished before: then there was nothing to interrupt.
    this.#release();
    listening.admit();
    if (sound.caption) onCaption(sound.itemId, sound.caption);
    for (const edge of sound.waiting) onEdge(edge);
  }

  #resume(evidence: SoundEvidence): void {
    const { line, listening, onDismissed } = this.#deps;
    this.#sound = null;
    listening.dropTentative();
    line.perceive('control', { type: 'decided', takesTurn: false, lookAgain: isWorthAnotherLook(evidence) });
    onDismissed();
    this.#release();
  }
}

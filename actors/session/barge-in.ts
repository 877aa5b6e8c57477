/**
 * Sound during the agent's speech that may take the turn, while it is decided: a tentative user turn whose words are asked for,
 * a play-out that is held where it can be, and the edges that wait for the decision.
 *
 *   speech.started ─► under way ── evidence, words ──► decideInterruption ─┬─ yield: it is a turn, the edges go on
 *                                                                          └─ resume: as if it had not been
 */
import type { Edge, SoundEvidence } from '../perceive/index.ts';
import { decideInterruption, INTERRUPTION, TURN_DELAYS } from '../turn-taking/index.ts';
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
  /** Words were asked for while it lasted, and after its end. */
  asked: { underWay: boolean; atEnd: boolean };
  wordsComplete: boolean;
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
      ...{ asked: { underWay: false, atEnd: false }, wordsComplete: false },
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
    if (!sound.evidence) this.#hold(evidence);
    sound.evidence = evidence;
    if (evidence.ended && !sound.asked.atEnd) {
      sound.asked.atEnd = true;
      this.#ask(sound, true);
    } else if (!evidence.ended && evidence.lastedMs >= TURN_DELAYS.askForWordsMs && !sound.asked.underWay) {
      sound.asked.underWay = true;
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
    const known = sound.evidence ?? { type: 'evidence', speechMs: 0, relativeDb: null };
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

  /** Sound that is as loud as a turn silences the agent until it is known what it was. */
  #hold({ relativeDb }: SoundEvidence): void {
    if (relativeDb !== null && relativeDb < INTERRUPTION.turnDb) return;
    this.#deps.line.playOut('control', { type: 'hold', held: true });
  }

  #release(): void {
    this.#deps.line.playOut('control', { type: 'hold', held: false });
  }

  #ask(sound: Sound, isComplete: boolean): void {
    this.#deps.listening.turn?.askForWords(words => {
      if (this.#sound !== sound) return;
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
    else if (decision === 'resume') this.#resume();
  }

  #yield(sound: Sound): void {
    const { line, listening, onCaption, onEdge, onTurn } = this.#deps;
    this.#sound = null;
    line.perceive('control', { type: 'decided', takesTurn: true });
    onTurn(sound.started, sound.itemId);
    listening.admit();
    if (sound.caption) onCaption(sound.itemId, sound.caption);
    for (const edge of sound.waiting) onEdge(edge);
  }

  #resume(): void {
    const { line, listening, onDismissed } = this.#deps;
    this.#sound = null;
    listening.dropTentative();
    line.perceive('control', { type: 'decided', takesTurn: false });
    onDismissed();
    this.#release();
  }
}

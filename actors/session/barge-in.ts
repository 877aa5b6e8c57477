/**
 * Barge-in, carried out: what the machine decides (`turn-taking/barge-in-machine.ts`) on a tentative user turn whose
 * words are asked for, a play-out that is paused where it can be, and the edges that wait for the decision.
 */
import type { Edge, SoundEvidence } from '../perceive/index.ts';
import {
  type BargeInAction,
  type BargeInEvent,
  bargeInMachine,
  isWorthAnotherLook,
  Statechart,
} from '../turn-taking/index.ts';
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
  readonly onCaption: (itemId: string, caption: ItemCaption) => void;
}

export interface ItemCaption {
  readonly delta: string;
  readonly text: string;
  readonly final: boolean;
}

/** The sound that is weighed. */
interface WeighedSound {
  readonly itemId: string;
  readonly started: Edge;
  readonly waiting: Edge[];
  /** What was shown of its caption when it became a turn. */
  caption: ItemCaption | null;
}

export class BargeIn {
  readonly #deps: BargeInDeps;
  readonly #chart = new Statechart(bargeInMachine);
  #sound: WeighedSound = {
    itemId: '',
    started: { type: 'speech.started', atMs: 0 },
    waiting: [],
    caption: null,
  };

  constructor(deps: BargeInDeps) {
    this.#deps = deps;
  }

  /** A sound that begins now is weighed. */
  get isAlert(): boolean {
    return this.#chart.snapshot.matches('alert');
  }

  get isWeighing(): boolean {
    return this.#chart.snapshot.matches('weighing');
  }

  /** Most changes of a turn have nothing to do with it. */
  ducked(isDucked: boolean): void {
    if (!isDucked && this.#chart.snapshot.matches('quiet')) return;
    this.#send({ type: isDucked ? 'agent.ducked' : 'agent.unducked' });
  }

  begin(started: Edge): void {
    this.#sound = { itemId: this.#deps.newId('item'), started, waiting: [], caption: null };
    this.#send({ type: 'sound.began' });
  }

  evidence(heard: SoundEvidence): void {
    this.#send({ type: 'sound.heard', heard });
  }

  /** An edge of the sound: it waits; its end is decided on at once. */
  edge(edge: Edge): void {
    this.#sound.waiting.push(edge);
    if (edge.type === 'silence.endpoint') this.#send({ type: 'sound.over' });
  }

  /** Somebody else has decided: it is a turn (committed by hand), or it was thrown away. */
  settle(takesTurn: boolean): void {
    this.#send({ type: takesTurn ? 'committed' : 'discarded' });
  }

  #send(event: BargeInEvent): void {
    for (const action of this.#chart.send(event)) this.#do[action as BargeInAction]?.();
  }

  readonly #do: Readonly<Record<BargeInAction, () => void>> = {
    listen: () => this.#listen(),
    askForWords: () => this.#askForWords(),
    pause: () => this.#hold(true),
    take: () => this.#take(),
    dismiss: () => this.#dismiss(),
    forget: () => this.#hold(false),
  };

  #hold(held: boolean): void {
    this.#deps.line.playOut('control', { type: 'hold', held });
  }

  #listen(): void {
    const { listening, onCaption } = this.#deps;
    const sound = this.#sound;
    listening.beginTentative(sound.itemId, caption => {
      if (!this.#weighs(sound)) {
        onCaption(sound.itemId, caption);
        return;
      }
      sound.caption = { ...caption, delta: caption.text };
      this.#send({ type: 'words.came', words: caption.text, confidences: listening.turn?.confidences ?? [] });
    });
  }

  #askForWords(): void {
    const sound = this.#sound;
    this.#deps.listening.turn?.askForWords((words, confidences) => {
      if (this.#weighs(sound)) this.#send({ type: 'words.answered', words, confidences });
    });
  }

  #weighs(sound: WeighedSound): boolean {
    return this.isWeighing && this.#sound === sound;
  }

  #take(): void {
    const { line, listening, onCaption, onEdge, onTurn } = this.#deps;
    const { caption, itemId, started, waiting } = this.#sound;
    line.perceive('control', { type: 'decided', takesTurn: true, lookAgain: false });
    onTurn(started, itemId);
    // What was held is gone now, unless the agent had finished before: then there was nothing to interrupt.
    this.#hold(false);
    listening.admit();
    if (caption) onCaption(itemId, caption);
    for (const edge of waiting) onEdge(edge);
  }

  #dismiss(): void {
    const { line, listening, onDismissed } = this.#deps;
    const { heard } = this.#chart.snapshot.context;
    listening.dropTentative();
    const lookAgain = heard !== null && isWorthAnotherLook(heard);
    line.perceive('control', { type: 'decided', takesTurn: false, lookAgain });
    onDismissed();
    this.#hold(false);
  }
}

import type { ActorDefinition, Delivered } from '../core/actor.ts';
import { ENDS_ITS_SESSION, type MessageDesk, messageBehaviour } from '../core/message-behaviour.ts';
import { type EncodedFrameUnit, LiveInterleaver } from './live.ts';
import type {
  ChunkInterleaverOutput,
  ChunkInterleaverPorts,
  TurnVectors,
  EncodedUnit,
  InterleaverCommand,
} from './messages.ts';
import { SparseBuffer } from './sparse-buffer.ts';

export interface ChunkInterleaverDeps {
  readonly hiddenSize: number;
  /** Sparse units kept for the next turn. */
  readonly maxSparseUnits: number;
}

/** Answers of the encoders that may wait. */
const ANSWERS = 1024;
const CONTROL = 1024;

/** Beginning of the ids of units that belong to no turn. */
export const SPARSE_UNIT = 'sparse.';

/** The chunk interleaver of a session. */
export function chunkInterleaverActor(
  deps: ChunkInterleaverDeps,
): ActorDefinition<ChunkInterleaverPorts, ChunkInterleaverOutput> {
  return {
    name: 'chunk-interleaver',
    ports: {
      vectors: { capacity: ANSWERS, overflow: 'fail', fenced: false },
      units: { capacity: ANSWERS, overflow: 'fail', fenced: false },
      control: { capacity: CONTROL, overflow: 'never-drop', fenced: false },
    },
    supervision: ENDS_ITS_SESSION,
    behaviour: messageBehaviour((_context, emit) => new ChunkInterleaver(deps, emit)),
  };
}

interface OpenTurn {
  readonly id: string;
  readonly interleaver: LiveInterleaver;
  readonly prefills: boolean;
  /** Chunk by unit that is being encoded. */
  readonly units: Map<string, number>;
  seesPictures: boolean;
  tail: { readonly id: number; flush: TurnVectors | null; left: boolean } | null;
  over: boolean;
}

class ChunkInterleaver implements MessageDesk<ChunkInterleaverPorts> {
  readonly #hiddenSize: number;
  readonly #emit: (output: ChunkInterleaverOutput) => void;
  readonly #sparse: SparseBuffer;
  /** The open turn and those whose tail is still being encoded. */
  readonly #turns = new Map<string, OpenTurn>();

  constructor(deps: ChunkInterleaverDeps, emit: (output: ChunkInterleaverOutput) => void) {
    this.#hiddenSize = deps.hiddenSize;
    this.#emit = emit;
    this.#sparse = new SparseBuffer(deps.maxSparseUnits);
  }

  receive({ port, message }: Delivered<ChunkInterleaverPorts>): void {
    if (port === 'vectors') this.#vectors(message.body);
    else if (port === 'units') this.#unit(message.body);
    else this.#command(message.body);
  }

  #command(command: InterleaverCommand): void {
    if (command.type === 'begin') {
      this.#begin(command.turnId, command.prefills);
      return;
    }
    const turn = this.#turns.get(command.turnId);
    if (!turn) return;
    if (command.type === 'unit.expected') {
      turn.units.set(command.unitId, command.chunk);
      turn.seesPictures = true;
      turn.interleaver.expectUnit(command.chunk);
    } else if (command.type === 'chunk.ended') turn.interleaver.endChunk();
    else if (command.type === 'tail') turn.tail = { id: command.tailId, flush: null, left: false };
    else if (command.type === 'tail.withdrawn') turn.tail = null;
    else if (command.type === 'over') turn.over = true;
    else this.#turns.delete(turn.id);
    if (command.type !== 'discarded') this.#advance(turn);
  }

  #begin(id: string, prefills: boolean): void {
    const interleaver = new LiveInterleaver(this.#hiddenSize, this.#sparse.takeAll());
    const turn = {
      id,
      interleaver,
      prefills,
      units: new Map(),
      seesPictures: false,
      tail: null,
      over: false,
    };
    this.#turns.set(id, turn);
    this.#advance(turn);
  }

  #vectors(audio: TurnVectors): void {
    const turn = this.#turns.get(audio.turnId);
    if (!turn) return;
    if (audio.tailId === null) turn.interleaver.audio(audio.vectors, audio.count);
    else if (turn.tail?.id === audio.tailId) turn.tail.flush = audio;
    this.#advance(turn);
  }

  #unit({ unitId, unit }: EncodedUnit): void {
    for (const turn of this.#turns.values()) {
      const chunk = turn.units.get(unitId);
      if (chunk === undefined) continue;
      turn.units.delete(unitId);
      this.#place(turn, chunk, unit);
      return;
    }
    if (unit && unitId.startsWith(SPARSE_UNIT)) this.#sparse.add(unit);
  }

  #place(turn: OpenTurn, chunk: number, unit: EncodedFrameUnit | null): void {
    if (unit) turn.interleaver.unitEncoded(chunk, unit);
    else turn.interleaver.unitLost(chunk);
    this.#advance(turn);
  }

  /** What is complete leaves; once the tail is wanted the chunks wait for its outcome. */
  #advance(turn: OpenTurn): void {
    const { id: turnId, interleaver, tail, seesPictures } = turn;
    if (!tail) {
      const pieces = turn.prefills ? interleaver.take() : [];
      if (pieces.length > 0) this.#emit({ type: 'pieces', turnId, pieces });
      return;
    }
    if (!tail.left) {
      if (!tail.flush || interleaver.waitingForUnits) return;
      tail.left = true;
      const { vectors, count, firstIndex } = tail.flush;
      const pieces = interleaver.tail(vectors, count, firstIndex);
      this.#emit({ type: 'tail', turnId, tailId: tail.id, pieces, seesPictures });
    }
    if (turn.over) this.#turns.delete(turnId);
  }
}

/**
 * Conversation items that a client adds (text, pictures, recorded audio) become pieces of context
 * (docs/spec/model.md §5.1). Pictures and audio are encoded first; the item keeps its place in the context queue
 * meanwhile.
 */
import type { ToolTemplate } from '../../kernels/engine/index.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import type { AudioEncoderOutput } from '../audio-encoder/index.ts';
import {
  assistantTextTurn,
  audioItem,
  concatVectors,
  imageItem,
  NEWLINE,
  type Piece,
  systemTurn,
  USER_HEADER,
} from '../chunk-interleaver/index.ts';
import type { ConversationItem, ConversationRole, ItemContent } from '../session-api.ts';
import { callTurn, resultTurn } from '../tools/index.ts';
import type { VisionEncoderOutput } from '../vision-encoder/index.ts';
import type { Line } from './line.ts';

/**
 * Begins the ids of what is encoded for items; those of live utterances and pictures begin otherwise, whatever a client
 * calls its items.
 */
const PART = 'part:';

/** A part of a user item; its pieces are missing until the encoder has answered. */
interface Part {
  readonly id: string;
  pieces: Piece[] | null;
  /** Vectors of a recording that have come so far. */
  readonly vectors: Float32Array[];
  count: number;
}

interface Writing {
  readonly parts: Part[];
  readonly onWritten: (pieces: readonly Piece[]) => void;
}

const CONTENTS: Readonly<Record<ConversationRole, ReadonlySet<ItemContent['type']>>> = {
  system: new Set(['text']),
  user: new Set(['text', 'audio', 'image']),
  assistant: new Set(['text', 'audio', 'call']),
  tool: new Set(['call.output', 'foreign']),
};

const isOfTools = ({ role, content }: Pick<ConversationItem, 'role' | 'content'>): boolean =>
  role === 'tool' || content.some(({ type }) => type === 'call');

export class ItemWriter {
  readonly #line: Line;
  readonly #template: ToolTemplate | null;
  readonly #writings = new Map<string, Writing>();
  /** Recordings are encoded one at a time, so that they keep nobody's speech waiting. */
  readonly #recordings: { readonly id: string; readonly samples: Float32Array }[] = [];

  /** @param template how the model reads calls and results; null: it was taught none */
  constructor(line: Line, template: ToolTemplate | null) {
    this.#line = line;
    this.#template = template;
  }

  /** Error `item.unsupported` for content that its role cannot have. */
  static check(item: Pick<ConversationItem, 'role' | 'content'>): void {
    for (const { type } of item.content) {
      if (CONTENTS[item.role].has(type)) continue;
      throw new RuntimeError(
        'item.unsupported',
        'Items of this role cannot have this content.',
        { role: item.role, type },
        'Give system and assistant items as text.',
      );
    }
  }

  /** Calls back with the item's pieces, at once where nothing has to be encoded. */
  write(item: ConversationItem, maxTokens: number, onWritten: (pieces: readonly Piece[]) => void): void {
    if (isOfTools(item)) {
      // The conversation keeps them in any case; a model that was taught no form for them is not shown them.
      onWritten(this.#template ? item.content.flatMap(part => toolTurn(part, this.#template!)) : []);
      return;
    }
    if (item.role !== 'user') {
      onWritten(plainTurn(item));
      return;
    }
    const parts = item.content.map((content, index): Part => {
      const id = `${PART}${item.id}/${index}`;
      return { id, pieces: writtenPart(content), vectors: [], count: 0 };
    });
    this.#writings.set(item.id, { parts, onWritten });
    item.content.forEach((content, index) => {
      const { id } = parts[index];
      if (content.type === 'image') {
        const unit = { unitId: id, frames: [content.image], maxTokens, capturedAtMs: 0 } as const;
        this.#line.visionEncoder('picture', unit);
      } else if (content.type === 'audio' && content.samples.length > 0) this.#record(id, content.samples);
    });
    this.#complete(item.id);
  }

  /** The item is gone: nothing waits for it any more, answers for it are ignored. */
  forget(itemId: string): void {
    const writing = this.#writings.get(itemId);
    this.#writings.delete(itemId);
    writing?.onWritten([]);
  }

  /** False when the picture is not of an item. */
  picture(answer: VisionEncoderOutput): boolean {
    if (!answer.unitId.startsWith(PART)) return false;
    const found = this.#find(answer.unitId);
    if (!found) return true; // Its item is gone.
    found.part.pieces = answer.type === 'unit' ? imageItem(answer.vectors, answer.count) : [];
    this.#complete(found.itemId);
    return true;
  }

  /** False when the sound is not of an item. */
  recording(answer: Extract<AudioEncoderOutput, { type: 'vectors' }>): boolean {
    if (!answer.utteranceId.startsWith(PART)) return false;
    const found = this.#find(answer.utteranceId);
    if (found) {
      found.part.vectors.push(answer.vectors);
      found.part.count += answer.count;
    }
    if (!answer.last) return true;
    this.#recordings.shift();
    this.#encodeNext();
    if (!found) return true;
    found.part.pieces = audioItem(concatVectors(found.part.vectors), found.part.count);
    this.#complete(found.itemId);
    return true;
  }

  #record(id: string, samples: Float32Array): void {
    this.#recordings.push({ id, samples });
    if (this.#recordings.length === 1) this.#encodeNext();
  }

  #encodeNext(): void {
    const next = this.#recordings[0];
    if (!next) return;
    const { id: utteranceId, samples } = next;
    this.#line.audioEncoder('utterance', { type: 'begin', utteranceId });
    this.#line.audioEncoder('utterance', { type: 'audio', utteranceId, samples });
    this.#line.audioEncoder('utterance', { type: 'end', utteranceId });
  }

  #complete(itemId: string): void {
    const writing = this.#writings.get(itemId);
    if (!writing || writing.parts.some(part => part.pieces === null)) return;
    this.#writings.delete(itemId);
    writing.onWritten([USER_HEADER, ...writing.parts.flatMap(part => part.pieces!), NEWLINE]);
  }

  #find(partId: string): { readonly itemId: string; readonly part: Part } | null {
    const itemId = partId.slice(PART.length, partId.lastIndexOf('/'));
    const part = this.#writings.get(itemId)?.parts.find(candidate => candidate.id === partId);
    return part ? { itemId, part } : null;
  }
}

/** A call or a result that a client restores. */
function toolTurn(content: ItemContent, template: ToolTemplate): Piece[] {
  if (content.type === 'call.output') return resultTurn(content.output, template);
  if (content.type !== 'call') return [];
  return callTurn(content.name, content.argumentsJson, template);
}

/** What needs no encoder: text, and a recording of which only the words are left. */
function writtenPart(content: ItemContent): Piece[] | null {
  if (content.type === 'text') return [{ kind: 'quote', text: content.text }];
  if (content.type !== 'audio' || content.samples.length > 0) return null;
  return content.transcript === null ? [] : [{ kind: 'quote', text: content.transcript }];
}

/** System and assistant items: text; a recording of an assistant counts with its transcript. */
function plainTurn(item: ConversationItem): Piece[] {
  const text = item.content
    .map(content =>
      content.type === 'text' ? content.text : content.type === 'audio' ? (content.transcript ?? '') : '',
    )
    .join('');
  if (text === '') return [];
  return item.role === 'system' ? systemTurn(text) : assistantTextTurn(text);
}

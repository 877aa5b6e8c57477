/** What a conversation consists of. */
import type { RgbImage } from '../kernels/engine/index.ts';
import type { ToolServer } from './tools/index.ts';

export type ItemContent =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'audio'; readonly samples: Float32Array; readonly transcript: string | null }
  | { readonly type: 'image'; readonly image: RgbImage }
  /** The agent called a tool; alone in an assistant item. */
  | {
      readonly type: 'call';
      readonly callId: string;
      readonly name: string;
      readonly argumentsJson: string;
      /**
       * Of a tool that runs in this process: what came of it, null while it runs. Absent: whoever holds the session
       * adds a `call.output`.
       */
      readonly output?: string | null;
      /** Of such a tool: `output` tells of an error, of a cancellation, or that nobody knows. */
      readonly failed?: boolean;
      /** Of a tool that only passes through this process. */
      readonly server?: ToolServer;
    }
  /** What came of a call; alone in a tool item. */
  | { readonly type: 'call.output'; readonly callId: string; readonly output: string }
  /** Kept for the client, who knows what it is; means nothing here. Alone in a tool item. */
  | {
      readonly type: 'foreign';
      readonly kind: string;
      readonly fields: Readonly<Record<string, unknown>>;
    };

export type ConversationRole = 'system' | 'user' | 'assistant' | 'tool';

export interface NewItem {
  readonly id?: string;
  readonly role: ConversationRole;
  readonly content: readonly ItemContent[];
}

export interface ConversationItem {
  readonly id: string;
  readonly role: ConversationRole;
  readonly status: 'in_progress' | 'completed' | 'incomplete';
  readonly content: readonly ItemContent[];
  readonly previousItemId: string | null;
}

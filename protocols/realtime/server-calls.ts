/**
 * Calls that the server runs, on the wire: what an MCP call is to a client, whoever runs it (docs/spec/tools.md §3).
 */
import type { ConversationItem, ItemContent } from '../../actors/session-api.ts';
import { toWireItem, type WireToolItem } from './items.ts';
import type { SendEvent } from './outbox.ts';
import type { ResponseWriter } from './response-writer.ts';

type CallContent = Extract<ItemContent, { type: 'call' }>;

interface Told {
  readonly itemId: string;
  readonly outputIndex: number;
  readonly writer: ResponseWriter;
}

export class ServerCalls {
  readonly #send: SendEvent;
  /** By call, until it has its outcome. */
  readonly #told = new Map<string, Told>();

  constructor(send: SendEvent) {
    this.#send = send;
  }

  /** Where no response of it is known, it is an item like any other: false. */
  added(item: ConversationItem, call: CallContent, writer: ResponseWriter | undefined): boolean {
    if (!writer) return false;
    const outputIndex = writer.serverCall(toWireItem(item, null, true) as WireToolItem, item.previousItemId);
    this.#told.set(call.callId, { itemId: item.id, outputIndex, writer });
    if (!call.server?.asks) this.begun(call.callId);
    return true;
  }

  /** It is being made. */
  begun(callId: string): void {
    const told = this.#told.get(callId);
    if (told) this.#send('response.mcp_call.in_progress', addressOf(told));
  }

  /** It has its outcome. */
  done(item: ConversationItem, call: CallContent): void {
    const told = this.#told.get(call.callId);
    if (!told) return;
    this.#told.delete(call.callId);
    this.#send(call.failed ? 'response.mcp_call.failed' : 'response.mcp_call.completed', addressOf(told));
    told.writer.serverCallDone(toWireItem(item, null, true) as WireToolItem);
  }
}

const addressOf = ({ itemId, outputIndex }: Told) => ({ item_id: itemId, output_index: outputIndex });

/** What a client asks for, done on the session (docs/spec/protocols.md §1.2). Every method may throw a refusal. */
import { randomUUID } from 'node:crypto';
import type { ConversationItem, NewItem, Session, SessionSettings } from '../../actors/session-api.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import { SESSION_OUTPUT_RATE_HZ } from '../media/index.ts';
import type { ClientEvent, ClientEventType, InputItem, ResponseFields } from './client-events.ts';
import type { Continuations } from './continuations.ts';
import { type ItemFormats, toNewItem, toWireItem } from './items.ts';
import type { McpApprovals } from './mcp-approvals.ts';
import type { McpServers } from './mcp-servers.ts';
import type { RealtimeMedia } from './media.ts';
import type { OutOfBand } from './out-of-band.ts';
import type { SendEvent } from './outbox.ts';
import type { CutPictures } from './cut-pictures.ts';
import type { DecodePicture, PictureDecoder } from './pictures.ts';
import { refusal } from './protocol-error.ts';
import type { Resumption } from './resume/index.ts';
import { boundedSteps, mergeConfig, type SessionConfig, toSettings, voiceName } from './session-config.ts';
import type { SessionFields } from './session-fields.ts';
import type { RealtimeState } from './state.ts';
import { toDeclarations, toToolChoice } from './tools.ts';

/** The echo of a configuration; more would be tools nobody can use. */
const MAX_CONFIG_CHARS = 512 * 1024;

/** A commit of less is a mistake of the client's, as the protocol has it. */
const MIN_COMMIT_MS = 100;

export interface ClientHandlerOptions {
  readonly session: Session;
  readonly state: RealtimeState;
  readonly outOfBand: OutOfBand;
  readonly pictures: PictureDecoder;
  /** Resolves in a later turn of the event loop. */
  readonly nextTurn: () => Promise<void>;
  readonly send: SendEvent;
  /** How sound travels. */
  readonly media: RealtimeMedia;
  /** The operator's settings, to which a client's `inf` and absent values fall back. */
  readonly defaults: SessionSettings;
  /** The session object of `session.created` and `session.updated`. */
  readonly describe: () => unknown;
  readonly onVideoFrame: (event: EventOf<'longcat.video.frame'>) => void;
  readonly mcp: McpServers;
  readonly approvals: McpApprovals;
  readonly continuations: Continuations;
  /** Null: its client cannot come back. */
  readonly resumption: Resumption | null;
  /** Something failed after its event was handled; the session lives on. */
  readonly onFailed: (error: unknown) => void;
}

type EventOf<T extends ClientEventType> = Extract<ClientEvent, { type: T }>;

export class ClientHandler {
  readonly #options: ClientHandlerOptions;
  readonly #session: Session;
  readonly #state: RealtimeState;
  /** A response that waits for the tools of its own to be listed. */
  #waiting: object | null = null;

  constructor(options: ClientHandlerOptions) {
    this.#options = options;
    this.#session = options.session;
    this.#state = options.state;
  }

  /** At once, except where a picture has to be decoded first. `pictures`: those that were cut out of the event. */
  handle(event: ClientEvent, pictures: CutPictures = []): Promise<void> | void {
    switch (event.type) {
      case 'session.update':
        return this.#updateSession(event.session);
      case 'input_audio_buffer.append':
        return this.#options.media.append(event.audio);
      case 'input_audio_buffer.commit':
        return this.#commitInput();
      case 'input_audio_buffer.clear':
        return this.#clearInput();
      case 'conversation.item.create':
        return this.#createItem(event, pictures);
      case 'conversation.item.retrieve':
        return this.#retrieveItem(event.item_id);
      case 'conversation.item.truncate':
        return this.#session.send({
          type: 'item.truncate',
          itemId: event.item_id,
          audioEndMs: Math.floor(event.audio_end_ms),
        });
      case 'conversation.item.delete':
        return this.#session.send({ type: 'item.delete', itemId: event.item_id });
      case 'response.create':
        return this.#createResponse(event.response ?? {});
      case 'response.cancel':
        return this.#cancelResponse(event.response_id ?? undefined);
      case 'output_audio_buffer.clear':
        return this.#options.media.clearOutput();
      case 'longcat.video.frame':
        this.#requireExtensions(event.type);
        return this.#options.onVideoFrame(event);
      case 'longcat.playback.report':
        return this.#reportHeard(event);
      case 'longcat.received':
        return this.#received(event.events);
    }
  }

  /** Applies `fields` and says nothing; used for the configuration that came with an ephemeral key. */
  configure(fields: SessionFields): void {
    const { defaults } = this.#options;
    const { config } = this.#state;
    const next = mergeConfig(config, fields, { defaults, hasSpoken: this.#state.hasSpoken });
    checkSize(next);
    this.#options.mcp.check(next.tools, 'session.tools');
    this.#apply(next);
    this.#state.config = next;
    if (next.tools !== config.tools) this.#options.mcp.use(next.tools);
    if (next.audio.input.format.type !== config.audio.input.format.type) {
      this.#options.media.setInputFormat(next.audio.input.format);
    }
  }

  /** Tools of an MCP server came. */
  toolsListed(): void {
    this.#apply(this.#state.config);
  }

  #apply(config: SessionConfig): void {
    const { defaults, mcp } = this.#options;
    for (;;) {
      try {
        const settings = mcp.into(toSettings(config, defaults), config.tools, config.tool_choice);
        this.#session.send({ type: 'settings.update', settings });
        return;
      } catch (error) {
        if (!mcp.avoids(error)) throw error;
      }
    }
  }

  #updateSession(fields: SessionFields): void {
    this.configure(fields);
    this.#options.send('session.updated', { session: this.#options.describe() });
  }

  #commitInput(): void {
    const { uncommittedMs } = this.#state;
    if (uncommittedMs < MIN_COMMIT_MS) {
      throw refusal(
        'input_audio_buffer_commit_empty',
        `The buffer is too small: a commit takes at least ${MIN_COMMIT_MS} ms of audio, it holds ${uncommittedMs.toFixed(2)} ms.`,
      );
    }
    this.#session.send({ type: 'input.commit' });
    this.#emptied();
  }

  #clearInput(): void {
    this.#emptied();
    this.#session.send({ type: 'input.clear' });
  }

  #emptied(): void {
    this.#state.uncommittedMs = 0;
    this.#options.media.emptied();
  }

  #createItem(
    { item, previous_item_id }: EventOf<'conversation.item.create'>,
    pictures: CutPictures,
  ): Promise<void> | void {
    const { approvals, continuations } = this.#options;
    const add = (newItem: NewItem) => {
      this.#session.send({ type: 'item.add', item: newItem, ...placeAfter(previous_item_id) });
      if (item.type === 'message' || item.type === 'function_call_output') continuations.forget();
      if (item.type === 'mcp_approval_response')
        approvals.answer(item.approval_request_id, item.approve, item.reason);
    };
    const newItem = toNewItem(item, this.#formats(), this.#decodePicture(pictures));
    return newItem instanceof Promise ? newItem.then(add) : add(newItem);
  }

  #retrieveItem(itemId: string): void {
    const item = this.#session.items.find(({ id }) => id === itemId);
    if (!item) throw new RuntimeError('item.unknown', 'There is no such item.', { itemId });
    const wire = toWireItem(item, this.#formats(), this.#state.showsWords(itemId));
    this.#options.send('conversation.item.retrieved', { item: wire });
  }

  /** What comes after it need not wait while its MCP servers list their tools. */
  #createResponse(fields: ResponseFields): Promise<void> | void {
    const { continuations, mcp, onFailed } = this.#options;
    if (continuations.takes(fields)) return;
    mcp.check(fields.tools ?? [], 'response.tools');
    const listing = mcp.listing(fields.tools ?? []);
    if (!listing) return this.#startResponse(fields);
    const waiting = {};
    this.#waiting = waiting;
    void listing
      .then(() => {
        if (this.#waiting !== waiting || this.#state.closed) return;
        this.#waiting = null;
        return this.#startResponse(fields);
      })
      .catch(onFailed);
  }

  #startResponse(fields: ResponseFields): Promise<void> | void {
    const { config } = this.#state;
    if (config.type === 'transcription') {
      throw refusal(
        'invalid_value',
        'A transcription session gives no responses to response.create.',
        'type',
      );
    }
    const voice = fields.audio?.output?.voice;
    if (voice !== undefined && this.#state.hasSpoken && voiceName(voice) !== config.audio.output.voice) {
      throw refusal(
        'cannot_update_voice',
        'The voice cannot change once the model has spoken.',
        'response.audio.output.voice',
      );
    }
    const { defaults, mcp, outOfBand } = this.#options;
    const modality = fields.output_modalities?.[0];
    const maxOutputTokens = fields.max_output_tokens;
    const format = fields.audio?.output?.format;
    const options = {
      ...(fields.instructions === undefined ? {} : { instructions: fields.instructions }),
      ...(modality === undefined ? {} : { outputModality: modality }),
      ...(fields.tools === undefined ? {} : { tools: toDeclarations(fields.tools) }),
      ...(fields.tool_choice === undefined ? {} : { toolChoice: toToolChoice(fields.tool_choice) }),
      ...(maxOutputTokens === undefined ? {} : { maxReplySteps: boundedSteps(maxOutputTokens, defaults) }),
    };
    const metadata = fields.metadata ?? {};
    // Any other name is that of the one conversation there is.
    if (fields.conversation !== 'none') {
      const responseId = `resp_${randomUUID()}`;
      const own = mcp.into(options, fields.tools ?? [], fields.tool_choice);
      const create = (input: object) =>
        this.#state.override(responseId, { modality, format, maxOutputTokens, metadata }, () =>
          this.#session.send({ type: 'response.create', responseId, options: { ...own, ...input } }),
        );
      if (fields.input === undefined) return create({});
      return this.#inputOf(fields.input).then(input => create({ input }));
    }
    const settings = toSettings(config, defaults);
    const header = {
      modality: modality ?? config.output_modalities[0],
      format: format ?? config.audio.output.format,
      voice: config.audio.output.voice,
      maxOutputTokens: maxOutputTokens ?? config.max_output_tokens,
      metadata,
    };
    return this.#inputOf(fields.input).then(items => outOfBand.start({ settings, items, options, header }));
  }

  /** What a response outside the conversation is made from: the items given, or the conversation as it is. */
  async #inputOf(input: readonly InputItem[] | undefined): Promise<NewItem[]> {
    const isSaid = ({ content, status }: ConversationItem) => status !== 'in_progress' && content.length > 0;
    if (input === undefined) return this.#session.items.filter(isSaid).map(copyOf);
    const items: NewItem[] = [];
    const decodePicture = this.#decodePicture();
    for (const [index, item] of input.entries()) {
      const path = `response.input[${index}]`;
      if (item.type === 'item_reference') items.push(copyOf(this.#item(item.id, `${path}.id`)));
      else items.push(await toNewItem(item, this.#formats(), decodePicture, path));
    }
    return items;
  }

  #item(itemId: string, param: string): ConversationItem {
    const item = this.#session.items.find(({ id }) => id === itemId);
    if (item) return item;
    throw refusal('item_not_found', `There is no item ${itemId}.`, param);
  }

  #cancelResponse(responseId: string | undefined): void {
    if (responseId === undefined && this.#waiting) {
      this.#waiting = null;
      return;
    }
    if (responseId !== undefined && this.#options.outOfBand.cancel(responseId)) return;
    this.#session.send({ type: 'response.cancel', ...(responseId !== undefined && { responseId }) });
  }

  #reportHeard(event: EventOf<'longcat.playback.report'>): void {
    this.#requireExtensions(event.type);
    if (event.samples === undefined && event.heard_ms === undefined) {
      throw refusal('missing_required_parameter', 'Give heard_ms or samples.', 'heard_ms');
    }
    const samples = event.samples ?? Math.round((event.heard_ms! * SESSION_OUTPUT_RATE_HZ) / 1000);
    this.#session.send({ type: 'played', itemId: event.item_id, samples });
  }

  /** Both sides learn what the other need not keep any more. */
  #received(events: number): void {
    const { resumption, send } = this.#options;
    if (!resumption) throw refusal('extension_disabled', 'This session cannot be resumed.', 'type');
    resumption.acknowledge(events);
    send('longcat.received', { events: resumption.received() });
  }

  #requireExtensions(type: string): void {
    if (this.#state.config.longcat.extensions) return;
    throw refusal('extension_disabled', `${type} needs session.longcat.extensions: true.`, 'type');
  }

  /** For one item. */
  #decodePicture(cut: CutPictures = []): DecodePicture {
    const { pictures, nextTurn } = this.#options;
    const isWanted = () => !this.#state.closed;
    return pictures.forItem({ allowBareBase64: false, isWanted, cut, nextTurn });
  }

  #formats(): ItemFormats {
    const { input, output } = this.#state.config.audio;
    return { input: input.format, output: output.format };
  }
}

/** `previous_item_id` of the wire: `root` is the beginning. */
function placeAfter(previousItemId: string | null | undefined): { readonly after?: string | null } {
  if (previousItemId === null || previousItemId === undefined) return {};
  return { after: previousItemId === 'root' ? null : previousItemId };
}

const copyOf = ({ role, content }: ConversationItem): NewItem => ({ role, content });

function checkSize(config: SessionConfig): void {
  let chars = Number.POSITIVE_INFINITY;
  try {
    chars = JSON.stringify(config).length;
  } catch {
    // Nested beyond what can be written out again.
  }
  if (chars > MAX_CONFIG_CHARS) {
    throw refusal(
      'invalid_value',
      `The configuration would exceed ${MAX_CONFIG_CHARS} characters or is nested too deeply.`,
      'session',
    );
  }
}

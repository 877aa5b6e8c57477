/**
 * The graph of a session as its edges: what comes out of whom, and to whom it goes (ARCHITECTURE.md §1). The messages
 * in the other direction, from the session to its actors, are those of `line.ts`.
 *
 *   perceive ──────► what is heard      ┐                            ┌─ language model ── steps, ends ─► replies
 *   frame sampling ► what is seen       ├─► the user's turn ─► … ─►  │                 ── dropped, refused, failed ─► items, outside
 *   audio, vision encoder ► vectors     │                            ├─ GAN decoder ── speech ─► replies
 *   chunk interleaver ────► pieces      ┘                            └─ play-out ── what leaves, what was heard ─► replies
 *   turn-taking ─► decisions ─► turns
 */
import { filter, merge, type Observable, Subscription } from 'rxjs';
import { RuntimeError } from '../../kernels/errors.ts';
import { Demultiplexer } from '../core/demultiplexer.ts';
import type { Envelope } from '../core/message.ts';
import type { ConversationItem, SessionEvent } from '../session-api.ts';
import type { VisionEncoderOutput } from '../vision-encoder/index.ts';
import type { Conversation } from './conversation.ts';
import type { Items } from './items.ts';
import type { SharedOutputs } from './line.ts';
import type { Stages } from './stages.ts';
import type { Turns } from './turns.ts';

export interface WiringDeps {
  readonly session: string;
  /** The actors of this session, and what those say to it that serve all. */
  readonly own: Stages;
  readonly shared: SharedOutputs;
  readonly conversation: Conversation;
  readonly items: Items;
  readonly turns: Turns;
  readonly emit: (event: SessionEvent) => void;
  /** These items are no longer in the model's context. */
  readonly left: (items: readonly ConversationItem[]) => void;
  /** Runs to completion; a failure ends the session. */
  readonly enter: <T>(action: (given: T) => void, given: T) => void;
}

interface ActorFailure {
  readonly code: string;
  readonly message: string;
}

type Typed = { readonly type: string };
type Of<T extends Typed, K extends T['type']> = Extract<T, { readonly type: K }>;

/** Of a stream, what is of one type: one look-up a message, where a filter for each type would be asked every time. */
function byType<T extends Typed>(messages$: Observable<Envelope<T>>, edges: Subscription) {
  const types = new Demultiplexer(messages$, ({ body }) => body.type);
  edges.add(types.subscription);
  return <K extends T['type']>(type: K) => types.of(type) as Observable<Envelope<Of<T, K>>>;
}

const hasFailed = (
  message: Envelope<VisionEncoderOutput>,
): message is Envelope<Of<VisionEncoderOutput, 'failed'>> => message.body.type === 'failed';

/** Until the session ends. */
export function wire({
  session,
  own,
  shared,
  conversation,
  items,
  turns,
  emit,
  left,
  enter,
}: WiringDeps): Subscription {
  const { listening, speaking } = turns;
  const edges = new Subscription();
  const audioEncoder = byType(shared.audioEncoder.of(session), edges);
  const visionEncoder$ = shared.visionEncoder.of(session);
  const languageModel = byType(shared.languageModel.of(session), edges);
  const ganDecoder$ = shared.ganDecoder.of(session);

  const edge = <T>(from$: Observable<T>, to: (value: T) => void) =>
    edges.add(from$.subscribe(value => enter(to, value)));
  const ends = ({ body }: Envelope<ActorFailure>) => {
    throw new RuntimeError(body.code, body.message);
  };
  const tells = ({ body: { code, message } }: Envelope<ActorFailure>) =>
    emit({ type: 'error', code, message, fatal: false });

  // What goes wrong: ends the session where it cannot go on without.
  const modelFailed$ = languageModel('failed');
  edge(merge(audioEncoder('failed'), modelFailed$.pipe(filter(({ body }) => body.fatal))), ends);
  edge(
    merge(visionEncoder$.pipe(filter(hasFailed)), modelFailed$.pipe(filter(({ body }) => !body.fatal))),
    tells,
  );

  // The user's side.
  edge(own.perceive.output$, ({ body }) => listening.fromPerceive(body));
  edge(own.frameSampling.output$, ({ body }) => listening.fromFrameSampling(body));
  edge(own.chunkInterleaver.output$, ({ body }) => listening.fromChunkInterleaver(body));
  edge(audioEncoder('vectors'), ({ body }) => {
    if (!items.writer.recording(body)) listening.fromAudioEncoder(body);
  });
  edge(visionEncoder$, ({ body }) => {
    if (!items.writer.picture(body)) listening.fromVisionEncoder(body);
  });

  // Who has the floor.
  edge(own.turnTaking.output$, ({ body }) => turns.fromTurnTaking(body));

  // The agent's side; what follows from a message keeps its address, so that it dies with it.
  edge(languageModel('step'), step => speaking.step(step, step.body));
  edge(languageModel('ended'), end => speaking.ended(end, end.body));
  edge(ganDecoder$, speech => speaking.fromGanDecoder(speech));
  edge(own.playOut.output$, ({ body }) => speaking.fromPlayOut(body));

  // The model's context.
  edge(languageModel('dropped'), ({ body }) => {
    for (const itemId of body.itemIds) conversation.leftContext(itemId);
    const itemIds = body.itemIds.filter(itemId => conversation.find(itemId));
    if (itemIds.length === 0) return;
    emit({ type: 'context.dropped', itemIds });
    left(itemIds.map(itemId => conversation.get(itemId)));
  });
  edge(languageModel('refused'), ({ body }) => items.refused(body));

  return edges;
}

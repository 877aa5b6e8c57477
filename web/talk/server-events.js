import { decodePcm16 } from '../media/pcm16.js';
import { Problem } from './problem.js';

/** Errors of the protocol that answer a race the person need not know about. */
const HARMLESS = new Set([
  'response_cancel_not_active',
  'conversation_already_has_active_response',
  'input_audio_buffer_commit_empty',
  'item_retrieve_invalid_item_id',
  'item_truncate_invalid_item_id',
]);

/** Of tools: of the page's, which has none, and of the server's. */
const CALLS = new Set(['function_call', 'mcp_call']);

/**
 * What the page does with each event of the server in the Realtime protocol. Those it does not know it leaves alone.
 *
 * @param {import('./conversation.js').Conversation} conversation
 * @returns {Record<string, (event: any) => void>}
 */
export function serverEvents(conversation) {
  return {
    ...sessionEvents(conversation),
    ...userEvents(conversation),
    ...replyEvents(conversation),
    error: ({ error }) => {
      conversation.statistics.errors += 1;
      if (!HARMLESS.has(error?.code))
        conversation.problem(new Problem(error?.message ?? 'The server refused an event.', ''));
    },
  };
}

function sessionEvents(conversation) {
  return {
    'session.created': ({ session }) => conversation.view.model(session?.model),
    'session.updated': () => conversation.isLive(),
    'longcat.state': ({ state }) => conversation.agentIs(state),
    'longcat.network': event => void tellNetwork(conversation, event),
    'longcat.duck': ({ gain_db }) => conversation.replies.player.setGainDb(gain_db),
    'longcat.playout.clear': ({ item_id }) => conversation.replies.drop(item_id ?? null),
    'longcat.turn.trace': ({ trace }) => {
      const { network } = conversation.statistics;
      const account = { ...toTurnTrace(trace), network };
      if (conversation.turns.trace(account)) conversation.statistics.trace(account);
    },
  };
}

/** Both ends of the line know a part. */
async function tellNetwork({ connection, statistics }, { jitter_buffer_ms, lost, pictures }) {
  const network = await connection.transport?.network();
  if (!network) return;
  const { roundTripMs, jitterBufferMs: hereMs } = network;
  statistics.network = { roundTripMs, hereMs, thereMs: jitter_buffer_ms ?? null, lost };
  statistics.pictures = pictures ?? statistics.pictures;
}

function userEvents(conversation) {
  const { turns, view, recording, statistics, nowMs } = conversation;
  const ended = (id, toMs) => {
    turns.ofUser(id, turn => {
      recording.userTurn(id, turn.fromMs ?? 0, toMs);
      turn.playable = true;
      turn.stop(toMs);
    });
  };
  const written = (id, text) => {
    turns.ofUser(id, turn => {
      turn.write(text, true);
      view.announcer.turn(turn);
    });
  };
  return {
    'input_audio_buffer.speech_started': ({ item_id, audio_start_ms }) =>
      turns.userSpoke(item_id, nowMs(), audio_start_ms),
    'input_audio_buffer.speech_stopped': ({ item_id, audio_end_ms }) => ended(item_id, audio_end_ms),
    /** Push to talk has no speech events: the turn is what was sent while the button was held. */
    'input_audio_buffer.committed': ({ item_id }) => {
      statistics.questions += 1;
      if (conversation.settings.mode !== 'hold') return;
      turns.userSpoke(item_id, nowMs(), conversation.input.heldFromMs);
      ended(item_id, conversation.input.heldToMs);
    },
    'conversation.item.input_audio_transcription.delta': ({ item_id, delta }) =>
      turns.ofUser(item_id, turn => turn.write(delta ?? '', false)),
    'conversation.item.input_audio_transcription.completed': ({ item_id, transcript }) =>
      written(item_id, transcript ?? ''),
    'conversation.item.input_audio_transcription.failed': ({ item_id }) => written(item_id, ''),
    'conversation.item.done': ({ item }) => {
      if (CALLS.has(item?.type)) turns.agentCalled(item, nowMs());
    },
    'response.mcp_call_arguments.done': ({ item_id, arguments: given }) => turns.agentGave(item_id, given),
    'response.function_call_arguments.done': ({ item_id, arguments: given }) =>
      turns.agentGave(item_id, given),
    'conversation.item.added': ({ item }) => {
      if (CALLS.has(item?.type)) turns.agentCalled(item, nowMs());
      if (item?.role !== 'user') return;
      const text = (item.content ?? []).map(part => (part.type === 'input_text' ? part.text : '')).join('');
      if (text === '') return;
      statistics.questions += 1;
      turns.userWrote(item.id, nowMs(), text);
    },
  };
}

function replyEvents(conversation) {
  const { replies, turns, statistics } = conversation;
  return {
    'response.created': ({ response }) => {
      replies.active.add(response.id);
      conversation.replayer.stop();
      conversation.changed();
    },
    'response.output_item.added': ({ item, response_id }) => replies.began(item, response_id),
    'output_audio_buffer.started': ({ response_id }) => replies.plays(response_id),
    'output_audio_buffer.stopped': ({ response_id }) => replies.played(response_id),
    'output_audio_buffer.cleared': ({ response_id }) => replies.cleared(response_id),
    'response.output_audio_transcript.delta': ({ item_id, delta }) => replies.text(item_id, delta, false),
    'response.output_text.delta': ({ item_id, delta }) => replies.text(item_id, delta, true),
    'response.output_audio.delta': ({ item_id, delta }) => replies.sound(item_id, decodePcm16(delta)),
    'response.output_audio.done': ({ item_id }) => replies.soundDone(item_id),
    'response.output_item.done': ({ item }) => replies.itemDone(item),
    'response.done': ({ response }) => {
      replies.active.delete(response.id);
      statistics.response(response);
      if (response.status === 'failed') {
        const message = response.status_details?.error?.message ?? 'The model failed to answer.';
        conversation.problem(
          new Problem(message, 'Say it again; if it keeps failing, look at the server’s log.'),
        );
      }
      conversation.changed();
    },
    'conversation.item.truncated': ({ item_id }) => replies.truncated(item_id),
    'conversation.item.retrieved': ({ item }) => turns.ofAgent(item?.id, turn => turn.cut(textOf(item))),
  };
}

function textOf(item) {
  return (item.content ?? []).map(part => part.transcript ?? part.text ?? '').join('');
}

/** The wire's snake_case to the TurnTrace of actors/session-api.ts, as waterfall.js wants it. */
export function toTurnTrace(trace) {
  const { waterfall } = trace;
  return {
    turn: trace.turn,
    text: trace.text,
    waterfall: waterfall && { entries: waterfall.entries, totalMs: waterfall.total_ms },
    interrupted: trace.interrupted,
    heardMs: trace.heard_ms,
    speculations: trace.speculations,
    rollbacks: trace.rollbacks,
  };
}

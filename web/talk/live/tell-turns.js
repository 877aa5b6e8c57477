import { SAMPLE_RATE_HZ } from '../../media/pcm16.js';

/**
 * What the turns that were found are to the page.
 *
 * @param {import('../conversation.js').Conversation} conversation
 * @param {{ zeroMs: number | null }} session
 * @returns {import('./live-turns.js').LiveTurnsListener}
 */
export function tellTurns(conversation, session) {
  const { turns, view, statistics, nowMs } = conversation;
  /** From the timeline to the sound that was sent, which goes on as time does. */
  const sentMs = timelineMs => {
    const agoMs = nowMs() - (session.zeroMs ?? 0) - timelineMs;
    return Math.max(0, (conversation.input.sentSamples * 1000) / SAMPLE_RATE_HZ - agoMs);
  };
  /** Where the turn of this id began in that sound. */
  let userFromMs = 0;
  return {
    agentBegan(id) {
      conversation.replayer.stop();
      turns.agentBegan(id, nowMs());
    },
    agentSaid: (id, delta) => turns.ofAgent(id, turn => turn.write(delta, false)),
    agentEnded(id) {
      statistics.answers += 1;
      conversation.replies.itemOver(id);
    },
    agentInterrupted(id) {
      statistics.interrupted += 1;
      turns.ofAgent(id, turn => turn.interrupt());
    },
    userBegan(id, fromMs) {
      statistics.questions += 1;
      userFromMs = sentMs(fromMs);
      turns.userSpoke(id, nowMs(), userFromMs);
    },
    userSaid(id, delta, fromMs, toMs) {
      const endMs = userFromMs + toMs - fromMs;
      conversation.recording.userTurn(id, userFromMs, endMs);
      turns.ofUser(id, turn => {
        turn.write(delta, false);
        turn.playable = true;
        turn.stop(endMs);
      });
    },
    userEnded: id =>
      turns.ofUser(id, turn => {
        turn.write(turn.text, true);
        view.announcer.turn(turn);
      }),
    state: state => conversation.agentIs(state),
  };
}

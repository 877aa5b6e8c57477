/**
 * A call whose network changes asks for another way to the server (an ICE restart) and goes on: the same conversation,
 * the same keys. The server waits ten seconds for somebody from whom nothing comes.
 */

/** Between two tries to reach the server meanwhile. */
const AGAIN_MS = 500;

/**
 * @param {RTCPeerConnection} peer
 * @param {(sdp: string) => Promise<string | null>} ask the answer to an offer; null: the call is no more; rejects where
 * the server cannot be reached
 * @param {() => void} onGone
 * @returns {() => void} ends the watch
 */
export function keepWay(peer, ask, onGone) {
  let isOver = false;
  let isAsking = false;
  const again = async () => {
    if (isAsking || isOver) return;
    isAsking = true;
    peer.restartIce();
    await peer.setLocalDescription();
    for (let answer; !isOver; await new Promise(resolve => setTimeout(resolve, AGAIN_MS))) {
      try {
        answer = await ask(peer.localDescription?.sdp ?? '');
      } catch {
        continue; // Not reachable yet.
      }
      if (isOver) break;
      if (answer === null) onGone();
      else await peer.setRemoteDescription({ type: 'answer', sdp: answer });
      break;
    }
    isAsking = false;
  };
  const restart = () => void again().catch(() => isOver || onGone());
  peer.oniceconnectionstatechange = () => peer.iceConnectionState === 'disconnected' && restart();
  addEventListener('online', restart);
  return () => {
    isOver = true;
    removeEventListener('online', restart);
  };
}

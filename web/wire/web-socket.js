/**
 * A protocol over a WebSocket. Whatever carries the protocol's events has this shape, so that another transport can
 * stand beside it.
 *
 * @typedef {object} TransportListener
 * @property {() => void} onOpen
 * @property {(text: string) => void} onText one event as JSON
 * @property {(code: number, reason: string) => void} onClose once; also where it never opened
 *
 * @typedef {object} Transport
 * @property {(text: string) => void} send
 * @property {() => boolean} isOpen
 * @property {() => number} backlogBytes what waits to be sent
 * @property {string} kind its name
 * @property {boolean} carriesMedia sound and pictures have tracks; else they travel as events
 * @property {(track: MediaStreamTrack | null) => void} useMicrophone
 * @property {(name: 'camera' | 'screen', track: MediaStreamTrack | null) => void} show
 * @property {() => Promise<import('./web-rtc.js').Network>} network as far as it is known
 * @property {() => number} sinceAnswerMs a session that a call began is so old; 0 where it begins with its events
 * @property {() => void} close
 *
 * @param {import('./doors.js').Door} door
 * @param {string} key an API key; empty where the server wants none
 * @param {TransportListener} listener
 * @param {import('./resumption.js').Resumption} resumption
 * @returns {Transport}
 */
export function openWebSocket(door, key, { onOpen, onText, onClose }, resumption) {
  const url = new URL(door.socketPath, location.href);
  url.protocol = url.protocol.replace('http', 'ws');
  const socket = new WebSocket(url, [
    door.subprotocol,
    ...(key ? [`openai-insecure-api-key.${key}`] : []),
    ...(door.resumes ? [resumption.subprotocol] : []),
  ]);
  socket.onopen = () => onOpen();
  socket.onmessage = ({ data }) => onText(data);
  socket.onclose = ({ code, reason }) => onClose(code, reason);
  return {
    kind: 'WebSocket',
    carriesMedia: false,
    useMicrophone() {},
    show() {},
    network: async () => ({ roundTripMs: null, jitterBufferMs: null }),
    sinceAnswerMs: () => 0,
    send: text => socket.send(text),
    isOpen: () => socket.readyState === WebSocket.OPEN,
    backlogBytes: () => socket.bufferedAmount,
    close: () => socket.close(1000, 'OK'),
  };
}

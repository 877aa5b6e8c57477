import { openWebRtc } from './web-rtc.js';
import { openWebSocket } from './web-socket.js';

/** Where WebRTC did not come about in this tab, the next line does not wait for it again. */
const FAILED_NAME = 'longcat-no-webrtc';
/** What the server says of itself; until it has, it is asked by trying. */
let isOffered = true;

/** @param {boolean} offered */
export function webRtcIsOffered(offered) {
  isOffered = offered;
}

/**
 * WebRTC where the server offers it and the network lets it pass, else a WebSocket.
 *
 * @param {import('../talk/settings.js').Line} choice
 * @param {import('./doors.js').Door} door
 * @param {string} key
 * @param {import('./web-socket.js').TransportListener} listener
 * @param {import('./web-rtc.js').Media} media
 * @param {import('./resumption.js').Resumption} resumption
 * @returns {import('./web-socket.js').Transport}
 */
export function openLine(choice, door, key, listener, media, resumption) {
  if (resumption.isPossible) return openWebSocket(door, key, listener, resumption);
  const isTried =
    choice === 'webrtc' || (choice === 'auto' && isOffered && !sessionStorage.getItem(FAILED_NAME));
  if (!isTried || typeof RTCPeerConnection === 'undefined')
    return openWebSocket(door, key, listener, resumption);
  let opened = false;
  let closed = false;
  /** @type {import('./web-socket.js').Transport} */
  let line = openWebRtc(
    door,
    key,
    {
      onOpen: () => {
        opened = true;
        listener.onOpen();
      },
      onText: text => listener.onText(text),
      onClose: (code, reason) => {
        if (opened || closed || choice === 'webrtc') return listener.onClose(code, reason);
        if (reason !== 'refused') sessionStorage.setItem(FAILED_NAME, reason);
        line = openWebSocket(door, key, listener, resumption);
      },
    },
    media,
  );
  return {
    get kind() {
      return line.kind;
    },
    get carriesMedia() {
      return line.carriesMedia;
    },
    send: text => line.send(text),
    isOpen: () => line.isOpen(),
    backlogBytes: () => line.backlogBytes(),
    useMicrophone: track => line.useMicrophone(track),
    show: (name, track) => line.show(name, track),
    network: () => line.network(),
    sinceAnswerMs: () => line.sinceAnswerMs(),
    close: () => {
      closed = true;
      line.close();
    },
  };
}

/**
 * Where a protocol is spoken with the server, and how a call is asked for there.
 *
 * @typedef {object} Door
 * @property {string} socketPath
 * @property {string} subprotocol beside which a key may travel
 * @property {boolean} resumes a session may outlive its socket
 * @property {string} callPath
 * @property {string} offerType of the body that brings an offer
 * @property {(sdp: string) => string} offer
 * @property {(text: string) => string} answer its description, from what the server says
 */

/** @type {Door} */
export const REALTIME_DOOR = {
  socketPath: '/v1/realtime',
  subprotocol: 'realtime',
  resumes: true,
  callPath: '/v1/realtime/calls',
  offerType: 'application/sdp',
  offer: sdp => sdp,
  answer: text => text,
};

/** Over WebRTC the session is what the offer says of it. @param {() => object} session @returns {Door} */
export function liveDoor(session) {
  return {
    socketPath: '/v1/live/sessions',
    subprotocol: 'live',
    resumes: false,
    callPath: '/v1/live/sessions',
    offerType: 'application/json',
    offer: sdp => JSON.stringify({ session: session(), transport: { type: 'webrtc', sdp } }),
    answer: text => JSON.parse(text).transport.sdp,
  };
}

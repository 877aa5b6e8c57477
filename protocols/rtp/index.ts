/** RTP by the clock: packets, reports, encryption, ports, and one wheel that paces all calls. */
export type { Direction, MediaPlan, PayloadFormat, SrtpKey } from './media-plan.ts';
export {
  type DatagramNetwork,
  type DatagramSocket,
  type HostPort,
  type OnDatagram,
  plain,
} from './network.ts';
export { type MediaSockets, PortPool, type PortRange } from './port-pool.ts';
export type { MediaSink } from './receiver.ts';
export { udpNetwork } from './udp-network.ts';
export { RtpSession } from './rtp-session.ts';
export { MASTER_KEY_BYTES, SRTP_SUITES, type SrtpSuite } from './srtp.ts';
export { PaceWheel } from './wheel.ts';

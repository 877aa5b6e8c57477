/** How SIP messages come and go: datagrams, or streams that a framer cuts. A flow is the way to one peer, and back. */
import type { HostPort } from '../rtp/index.ts';
import type { SipMessage } from './message.ts';

export type SipProtocol = 'UDP' | 'TCP' | 'TLS';

export interface Flow {
  readonly protocol: SipProtocol;
  readonly remote: HostPort;
  send(bytes: Buffer): void;
  /** Datagrams only: the way to another port of the same peer. */
  at?(port: number): Flow;
}

export interface FlowTarget extends HostPort {
  readonly protocol: SipProtocol;
}

export interface SipTransport {
  readonly protocol: SipProtocol;
  readonly local: HostPort;
  /** To send a request of ours. Errors: `sip.unreachable`. */
  flowTo(target: HostPort): Promise<Flow>;
  close(): Promise<void> | void;
}

export interface TransportHandler {
  message(message: SipMessage, flow: Flow): void;
  /** Something came that is no SIP message. */
  unreadable(flow: Flow, error: unknown): void;
}

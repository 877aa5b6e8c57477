/** A peer by werift, an implementation of WebRTC in TypeScript (docs/spec/webrtc.md §2). */
import type * as Werift from 'werift';
import { followChanges } from './ice-changes.ts';
import { loadWerift } from './libraries.ts';
import type { OpenPeer, Peer, PeerListener, PeerOptions, VoiceOut } from './peer.ts';
import { settleHandshake } from './record-numbers.ts';
import { MAX_CHANNEL_MESSAGE_BYTES } from './sdp.ts';
import { type Association, isEmpty, recount } from './stuck-channel.ts';

const CHANNEL = 'oai-events';
const LEVEL_URI = 'urn:ietf:params:rtp-hdrext:ssrc-audio-level';
const STREAM = 'longcat';
/** NTP counts from 1900 in seconds of 2³² parts. */
const NTP_PARTS = 2 ** 32;

/** Error `webrtc.missing` where the optional library is not installed. */
export async function weriftPeers(options: PeerOptions): Promise<OpenPeer> {
  const library = await loadWerift();
  return async listener => new WeriftPeer(library, options, listener);
}

/** An ICE restart within a call: the keys stay. */
const hasRestarted = ({ state, iceTransport }: Werift.RTCDtlsTransport) =>
  state === 'connected' && iceTransport.state === 'new';

const association = (channel: Werift.RTCDataChannel) => channel.sctp.sctp as unknown as Association;

class WeriftPeer implements Peer {
  readonly #library: typeof Werift;
  readonly #listener: PeerListener;
  readonly #connection: Werift.RTCPeerConnection;
  readonly #voice: Werift.MediaStreamTrack;
  readonly #pictures = new Map<number, Werift.RTCRtpReceiver>();
  readonly #hosts: readonly string[];
  readonly #tracks = new WeakSet<Werift.MediaStreamTrack>();
  #sender: Werift.RTCRtpSender | null = null;
  #channel: Werift.RTCDataChannel | null = null;
  #sequence = 0;
  #closed = false;

  constructor(library: typeof Werift, options: PeerOptions, listener: PeerListener) {
    this.#library = library;
    this.#listener = listener;
    this.#hosts = options.hosts;
    this.#voice = new library.MediaStreamTrack({ kind: 'audio' });
    this.#connection = new library.RTCPeerConnection({
      ...configuration(library, options),
      // Called for every check that comes: the peer lives. The answer is the library's own.
      iceFilterStunResponse: () => {
        listener.onAlive();
        return true;
      },
    });
    this.#listen();
  }

  async answer(offer: string): Promise<string> {
    const connection = this.#connection;
    await connection.setRemoteDescription({ type: 'offer', sdp: offer });
    for (const transport of connection.dtlsTransports) settleHandshake(transport);
    const restarted = connection.dtlsTransports.filter(hasRestarted);
    this.#joinVoice();
    await connection.setLocalDescription(await connection.createAnswer());
    for (const transport of connection.iceTransports) followChanges(transport);
    // Where it finds no way, the caller asks again, or falls silent, and the call's watch sees that.
    for (const { iceTransport } of restarted) void iceTransport.start().catch(() => {});
    // Gathering is part of `setLocalDescription`: what stands there now is whole.
    const sdp = connection.localDescription?.sdp ?? '';
    return this.#hosts.length === 0 ? sdp : withHostsOnly(sdp, this.#hosts);
  }

  async addCandidate(candidate: string, mid: string): Promise<void> {
    await this.#connection.addIceCandidate({ candidate, sdpMid: mid });
  }

  sendVoice({ payload, timestamp, marker }: VoiceOut): void {
    const { RtpHeader, RtpPacket } = this.#library;
    this.#sequence = (this.#sequence + 1) & 0xffff;
    // What we send has its copies within Opus; the library would wrap it as what we receive.
    if (this.#sender) this.#sender.redRedundantPayloadType = undefined;
    const header = new RtpHeader({ marker, timestamp, sequenceNumber: this.#sequence, payloadType: 0 });
    this.#voice.writeRtp(new RtpPacket(header, Buffer.from(payload)));
  }

  requestKeyFrame(ssrc: number): void {
    void this.#pictures.get(ssrc)?.sendRtcpPLI(ssrc);
  }

  sendText(text: string): void {
    if (this.#channel?.readyState !== 'open') return;
    this.#unstick();
    this.#channel.send(text);
  }

  unsentBytes(): number {
    return this.#channel?.bufferedAmount ?? 0;
  }

  isAcknowledged(): boolean {
    this.#unstick();
    return this.#channel === null || isEmpty(association(this.#channel));
  }

  async roundTripMs(): Promise<number | null> {
    this.#unstick();
    if (!this.#sender || this.#closed) return null;
    for (const report of (await this.#sender.getStats()).values()) {
      const { type, roundTripTime } = report as { readonly type: string; readonly roundTripTime?: number };
      if (type === 'remote-inbound-rtp' && roundTripTime !== undefined)
        return Math.max(0, roundTripTime * 1000);
    }
    return null;
  }

  close(): void {
    this.#closed = true;
    void this.#connection.close().catch(() => {});
  }

  #unstick(): void {
    if (this.#channel) recount(association(this.#channel));
  }

  #listen(): void {
    const connection = this.#connection;
    connection.connectionStateChange.subscribe(state => {
      if (state === 'connected') this.#listener.onConnected();
      // `disconnected` may come back; whether it does is for the call's own watch to say.
      else if (state === 'failed' || state === 'closed') this.#over(`the transport ${state}`);
    });
    connection.onDataChannel.subscribe(channel => this.#join(channel));
    connection.onRemoteTransceiverAdded.subscribe(({ receiver }) => {
      receiver.onRtcp.subscribe(packet => this.#report(packet));
    });
    connection.onTrack.subscribe(track => {
      // Told of once more with every later offer.
      if (this.#tracks.has(track)) return;
      this.#tracks.add(track);
      track.onReceiveRtp.subscribe((packet, extensions) => this.#packet(track, packet, extensions));
    });
  }

  /** Our voice goes out where the caller first has one, if it takes any. */
  #joinVoice(): void {
    if (this.#sender) return;
    const transceiver = this.#connection.getTransceivers().find(({ kind }) => kind === 'audio');
    if (!transceiver) return;
    transceiver.sender.registerTrack(this.#voice);
    transceiver.setDirection('sendrecv');
    // A page takes the stream, not the track.
    transceiver.sender.streamId = STREAM;
    this.#sender = transceiver.sender;
  }

  #packet(
    track: Werift.MediaStreamTrack,
    { header, payload }: Werift.RtpPacket,
    extensions: Werift.Extensions = {},
  ): void {
    const { ssrc, payloadType, sequenceNumber, timestamp, marker } = header;
    const said = extensions[LEVEL_URI] as { readonly v: boolean; readonly level: number } | undefined;
    const level = said && { belowFullDb: said.level, isVoice: said.v };
    const packet = { ssrc, payloadType, sequence: sequenceNumber, timestamp, marker, payload, level };
    this.#listener.onAlive();
    if (track.kind === 'audio') this.#listener.onVoice(packet);
    else {
      if (!this.#pictures.has(ssrc)) this.#keepReceiver(track, ssrc);
      this.#listener.onPicture(packet);
    }
  }

  #keepReceiver(track: Werift.MediaStreamTrack, ssrc: number): void {
    const receivers = this.#connection.getReceivers();
    const receiver = receivers.find(({ tracks }) => tracks.includes(track));
    if (receiver) this.#pictures.set(ssrc, receiver);
  }

  #report(packet: Werift.RtcpPacket): void {
    this.#listener.onAlive();
    if (!(packet instanceof this.#library.RtcpSrPacket)) return;
    const { ntpTimestamp, rtpTimestamp } = packet.senderInfo;
    const wallMs = (Number(ntpTimestamp) / NTP_PARTS) * 1000;
    this.#listener.onSenderReport({ ssrc: packet.ssrc, wallMs, timestamp: rtpTimestamp });
  }

  #join(channel: Werift.RTCDataChannel): void {
    if (channel.label !== CHANNEL || this.#channel) {
      channel.close();
      return;
    }
    this.#channel = channel;
    channel.onMessage.subscribe(message => {
      this.#listener.onAlive();
      if (typeof message === 'string') this.#listener.onText(message);
    });
    channel.stateChange.subscribe(state => state === 'closed' && this.#over('the channel was closed'));
    if (channel.readyState === 'open') this.#listener.onChannel();
    else channel.stateChange.subscribe(state => state === 'open' && this.#listener.onChannel());
  }

  #over(reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#listener.onClosed(reason);
  }
}

function configuration(library: typeof Werift, options: PeerOptions): Werift.RTCPeerConnectionConfig {
  const { RTCRtpCodecParameters, RTCRtpHeaderExtensionParameters, useNACK, useOPUS, usePLI, useVP8 } =
    library;
  const { iceServers, hosts, ports, relayOnly } = options;
  const mid = new RTCRtpHeaderExtensionParameters({ uri: 'urn:ietf:params:rtp-hdrext:sdes:mid' });
  const level = new RTCRtpHeaderExtensionParameters({ uri: LEVEL_URI });
  const redundant = new RTCRtpCodecParameters({ mimeType: 'audio/red', clockRate: 48_000, channels: 2 });
  const keys = new RTCRtpCodecParameters({
    mimeType: 'audio/telephone-event',
    clockRate: 48_000,
    channels: 1,
  });
  return {
    codecs: { audio: [redundant, useOPUS(), keys], video: [useVP8({ rtcpFeedback: [useNACK(), usePLI()] })] },
    headerExtensions: { audio: [mid, level], video: [mid] },
    ...addresses(hosts),
    // Given even where empty: the library's own default asks a public server.
    iceServers: iceServers.map(server => ({ ...server })),
    iceTransportPolicy: relayOnly ? 'relay' : 'all',
    ...(ports && { icePortRange: [ports[0], ports[1]] }),
    bundlePolicy: 'max-bundle',
    maxMessageSize: MAX_CHANNEL_MESSAGE_BYTES,
  };
}

/** Where only this machine may call, the sockets are bound to it as well. */
function addresses(hosts: readonly string[]): Werift.RTCPeerConnectionConfig {
  const isLocal = hosts.length > 0 && hosts.every(host => host === '127.0.0.1');
  return {
    iceAdditionalHostAddresses: [...hosts],
    ...(isLocal && { iceUseIpv6: false, iceInterfaceAddresses: { udp4: '127.0.0.1' } }),
  };
}

/** Relayed and reflexive candidates are the network's own and stay. */
function withHostsOnly(sdp: string, hosts: readonly string[]): string {
  const isOffered = (line: string) => {
    const [, , , , address, , , type] = line.startsWith('a=candidate:') ? line.split(' ') : [];
    return type !== 'host' || hosts.includes(address);
  };
  return sdp.split('\r\n').filter(isOffered).join('\r\n');
}

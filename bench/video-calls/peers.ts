/** How the bench's own peers are set up: one address, one port, Opus, VP8 and nothing that asks a stranger. */
import type * as Werift from 'werift';

export function peerConfiguration(library: typeof Werift): Werift.RTCPeerConnectionConfig {
  const { RTCRtpHeaderExtensionParameters, useNACK, useOPUS, usePLI, useVP8 } = library;
  const mid = new RTCRtpHeaderExtensionParameters({ uri: 'urn:ietf:params:rtp-hdrext:sdes:mid' });
  return {
    codecs: { audio: [useOPUS()], video: [useVP8({ rtcpFeedback: [useNACK(), usePLI()] })] },
    headerExtensions: { audio: [mid], video: [mid] },
    iceServers: [],
    iceUseIpv6: false,
    iceAdditionalHostAddresses: ['127.0.0.1'],
    iceInterfaceAddresses: { udp4: '127.0.0.1' },
    bundlePolicy: 'max-bundle',
  };
}

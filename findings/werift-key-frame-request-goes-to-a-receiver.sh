#!/usr/bin/env bash
# werift 0.24.4 on both ends, the caller shows a camera and the callee only watches: the callee's `receiver.sendRtcpPLI(ssrc)` arrives
# (RFC 4585 §6.3.1: the SSRC of who asks, the SSRC of what is asked for), but the caller's `sender.onPictureLossIndication` does not fire. The packet
# goes to whoever knows the SSRC of the one that asks, and that is the caller's receiver, because the answer names that SSRC although it
# is `recvonly`. Without the answer's `a=ssrc` lines it fires. Expected: it fires, by the SSRC of what is asked for, in both.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --no-audit --no-fund --save-exact werift@0.24.4 >/dev/null 2>&1
cat > calls.cjs <<'JS'
const { MediaStreamTrack, PictureLossIndication, RTCPeerConnection, RtpHeader, RtpPacket, usePLI, useVP8 } = require('werift');
const wait = ms => new Promise(resolve => setTimeout(resolve, ms));
async function call(names) {
  const options = {
    ...{ iceServers: [], bundlePolicy: 'max-bundle', iceUseIpv6: false },
    ...{ iceAdditionalHostAddresses: ['127.0.0.1'], iceInterfaceAddresses: { udp4: '127.0.0.1' } },
    codecs: { video: [useVP8({ rtcpFeedback: [usePLI()] })] },
  };
  const [caller, callee] = [new RTCPeerConnection(options), new RTCPeerConnection(options)];
  const camera = new MediaStreamTrack({ kind: 'video' });
  const sender = caller.addTrack(camera);
  const seen = { fired: 0, arrived: 0 };
  sender.onPictureLossIndication.subscribe(() => seen.fired++);
  await caller.setLocalDescription(await caller.createOffer());
  await callee.setRemoteDescription(caller.localDescription);
  await callee.setLocalDescription(await callee.createAnswer());
  const { type, sdp } = callee.localDescription;
  await caller.setRemoteDescription({ type, sdp: names ? sdp : sdp.replace(/^a=ssrc:.*\r\n/gm, '') });
  for (const transport of caller.dtlsTransports)
    transport.onRtcp.subscribe(({ feedback }) => void (feedback instanceof PictureLossIndication && seen.arrived++));
  for (let n = 0; caller.connectionState !== 'connected' || callee.connectionState !== 'connected'; n++) await wait(50);
  const packet = (n, payloadType, bytes) => new RtpPacket(new RtpHeader({ sequenceNumber: n, timestamp: n * 960, payloadType }), Buffer.from(bytes));
  for (let n = 0; n < 50; n++) {
    camera.writeRtp(packet(n, 96, [0x10, 1, 0, 0]));
    await wait(20);
  }
  const receiver = callee.getReceivers().find(({ kind }) => kind === 'video');
  for (let n = 0; n < 5; n++) {
    await receiver.sendRtcpPLI(sender.ssrc);
    await wait(100);
  }
  return `${names ? 'with a=ssrc' : 'without'}: ${seen.arrived} of 5 arrived, ${seen.fired} fired`;
}
(async () => {
  console.log(await call(false));
  console.log(await call(true));
  process.exit();
})();
JS
seen=$(node calls.cjs)
echo "$seen"
expected=$'without: 5 of 5 arrived, 5 fired\nwith a=ssrc: 5 of 5 arrived, 0 fired'
[ "$seen" = "$expected" ] || { echo "CHANGED"; exit 1; }

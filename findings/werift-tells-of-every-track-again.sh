#!/usr/bin/env bash
# werift 0.24.4, a call that is negotiated again (a restart of ICE, a camera that joins): `ontrack` of whoever is offered fires once more
# for each track that was there before, with the same transceiver. WebRTC (W3C's webrtc, "process the addition of a remote track") fires it only where a
# track was not being received: an application that subscribes to a track there hears its packets twice, then three times.
# Expected: "the same again: none" and "and a camera: video 1".
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --no-audit --no-fund --save-exact werift@0.24.4 >/dev/null 2>&1
cat > calls.cjs <<'JS'
const { MediaStreamTrack, RTCPeerConnection } = require('werift');
const wait = ms => new Promise(resolve => setTimeout(resolve, ms));
(async () => {
  const options = {
    ...{ iceServers: [], bundlePolicy: 'max-bundle', iceUseIpv6: false },
    ...{ iceAdditionalHostAddresses: ['127.0.0.1'], iceInterfaceAddresses: { udp4: '127.0.0.1' } },
  };
  const [caller, callee] = [new RTCPeerConnection(options), new RTCPeerConnection(options)];
  const told = [];
  callee.ontrack = ({ track, transceiver }) => told.push(`${track.kind} ${transceiver.mid}`);
  const negotiate = async () => {
    told.length = 0;
    await caller.setLocalDescription(await caller.createOffer());
    await callee.setRemoteDescription(caller.localDescription);
    await callee.setLocalDescription(await callee.createAnswer());
    await caller.setRemoteDescription(callee.localDescription);
    return told.join(', ') || 'none';
  };
  caller.addTrack(new MediaStreamTrack({ kind: 'audio' }));
  console.log(`audio: ${await negotiate()}`);
  while (caller.connectionState !== 'connected') await wait(50);
  console.log(`the same again: ${await negotiate()}`);
  caller.addTrack(new MediaStreamTrack({ kind: 'video' }));
  console.log(`and a camera: ${await negotiate()}`);
  process.exit();
})();
JS
seen=$(node calls.cjs)
echo "$seen"
expected=$'audio: audio 0\nthe same again: audio 0\nand a camera: audio 0, video 1'
[ "$seen" = "$expected" ] || { echo "CHANGED"; exit 1; }

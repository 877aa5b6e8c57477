#!/usr/bin/env bash
# werift 0.24.4: an offer of sound and a data channel with the default bundlePolicy gathers for two transports; the answer bundles them, one of
# them carries all, and the other is put aside. After `await pc.close()` on both sides the UDP sockets of the one that was put aside are
# still bound, so a process that calls often runs out of ports. Expected: none are, as with bundlePolicy "max-bundle", which gathers once.
# What answers gives all of its sockets back either way.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --no-audit --no-fund --save-exact werift@0.24.4 >/dev/null 2>&1
cat > calls.cjs <<'JS'
const { RTCPeerConnection } = require('werift');
const bound = () => process.getActiveResourcesInfo().filter(name => name === 'UDPWrap').length;
async function call(bundlePolicy) {
  const options = { iceServers: [], iceUseIpv6: false, iceAdditionalHostAddresses: ['127.0.0.1'], iceInterfaceAddresses: { udp4: '127.0.0.1' } };
  const caller = new RTCPeerConnection({ ...options, ...(bundlePolicy && { bundlePolicy }) });
  const callee = new RTCPeerConnection(options);
  caller.addTransceiver('audio');
  const channel = caller.createDataChannel('events');
  const opened = new Promise(resolve => channel.stateChange.subscribe(state => state === 'open' && resolve()));
  await caller.setLocalDescription(await caller.createOffer());
  await callee.setRemoteDescription(caller.localDescription);
  await callee.setLocalDescription(await callee.createAnswer());
  await caller.setRemoteDescription(callee.localDescription);
  await opened;
  await callee.close();
  await caller.close();
  await new Promise(resolve => setTimeout(resolve, 1000));
}
(async () => {
  for (const policy of ['max-bundle', undefined]) {
    const before = bound();
    await call(policy);
    await call(policy);
    console.log(`${policy ?? 'the default'}: sockets left by two calls: ${bound() - before > 0 ? 'some' : 'none'}`);
  }
  process.exit();
})();
JS
seen=$(node calls.cjs)
echo "$seen"
expected=$'max-bundle: sockets left by two calls: none\nthe default: sockets left by two calls: some'
[ "$seen" = "$expected" ] || { echo "CHANGED"; exit 1; }

#!/usr/bin/env bash
# baresip 1.0.0-4 (Debian 12, amd64) as a phone that answers by itself, its source a tone (`audio_source ausine,440`), called with G.711 alone:
# it sends 180, writes "answering call ... with 200" and sends neither the 200 nor an error; the caller rings until somebody gives up. The
# tone is made at 48 kHz only, and a source that does not open ends the answer half way. The same call, with any source that opens (aubridge),
# is answered at once. Expected by RFC 3261 13.3.1: a final response, here a 488 or 500. Who waits for the log's line waits for nothing.
# Expected output: "aubridge: 180 200, log: with 200" and "ausine: 180, log: with 200".
set -euo pipefail
folder=$(mktemp -d); phone=
trap '[ -z "$phone" ] || kill "$phone" 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
apt-get download -q baresip-core=1.0.0-4+b3 libre0=1.1.0-1+b2 librem0=0.6.0-4 >/dev/null 2>&1
for package in *.deb; do dpkg -x "$package" .; done
export LD_LIBRARY_PATH="$folder/usr/lib/x86_64-linux-gnu"
cat > call.cjs <<'JS'
const { createSocket } = require('node:dgram');
const [port, phone] = process.argv.slice(2).map(Number);
const sdp = ['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 'c=IN IP4 127.0.0.1', 't=0 0', 'm=audio 42000 RTP/AVP 0', ''].join('\r\n');
const invite = [
  `INVITE sip:bob@127.0.0.1:${phone} SIP/2.0`,
  `Via: SIP/2.0/UDP 127.0.0.1:${port};branch=z9hG4bKone;rport`,
  'Max-Forwards: 70', `From: <sip:alice@127.0.0.1:${port}>;tag=a`, `To: <sip:bob@127.0.0.1:${phone}>`,
  'Call-ID: one', 'CSeq: 1 INVITE', `Contact: <sip:alice@127.0.0.1:${port}>`,
  'Content-Type: application/sdp', `Content-Length: ${sdp.length}`, '', sdp,
].join('\r\n');
const socket = createSocket('udp4');
const seen = new Set();
socket.on('message', message => seen.add(message.toString().slice(8, 11)));
socket.bind(port, '127.0.0.1', () => socket.send(invite, phone, '127.0.0.1'));
setTimeout(() => { console.log([...seen].join(' ')); process.exit(); }, 6000);
JS
tries() { # SOURCE PORT
  mkdir "$1"
  cat > "$1/config" <<CONF
sip_listen 127.0.0.1:$2
module_path $folder/usr/lib/baresip/modules
audio_source $1,440
audio_player aubridge,a
audio_alert aubridge,b
rtp_ports $(($2 + 1000))-$(($2 + 1100))
module g711.so
module ausine.so
module aubridge.so
module_app account.so
module_app menu.so
CONF
  echo "<sip:bob@127.0.0.1>;answermode=auto;regint=0" > "$1/accounts"; touch "$1/contacts"
  timeout 30 "$folder/usr/bin/baresip" -f "$1" > "$1/log" 2>&1 < /dev/null & phone=$!
  for _ in $(seq 100); do grep -q 'baresip is ready' "$1/log" && break; read -rt 0.1 <> <(:) || true; done
  seen=$(node call.cjs $(($2 + 1)) "$2")
  kill "$phone"; wait "$phone" 2>/dev/null || true; phone=
  echo "$1: $seen, log: $(grep -o 'with 200' "$1/log" | head -1)"
}
answers=$(tries aubridge 15990; tries ausine 15992)
echo "$answers"
[ "$answers" = $'aubridge: 180 200, log: with 200\nausine: 180, log: with 200' ] || { echo CHANGED; exit 1; }

#!/usr/bin/env bash
# @openai/agents-extensions 0.18.0: TwilioRealtimeTransportLayer sets the session to Twilio's 8 kHz mu-law, but only where the session's
# config has an `audio` of its own, be it no more than a voice. Without one, which RealtimeSession allows, the session.update that goes out
# asks for 24 kHz PCM both ways, while the transport goes on passing Twilio's mu-law bytes: both sides hear noise and no error is
# raised. Expected: mu-law either way, as the transport's documentation says. Ours: the client matrix gives a voice; docs/telephony.md
# has the door that needs no such transport.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT; cd "$folder"
npm init -y >/dev/null
npm install --no-audit --no-fund --silent --ignore-scripts @openai/agents@0.18.0 @openai/agents-extensions@0.18.0 ws@8.23.0 zod@4.6.7
cat > try.mjs <<'JS'
import { EventEmitter } from 'node:events';
import { RealtimeAgent, RealtimeSession } from '@openai/agents/realtime';
import { TwilioRealtimeTransportLayer } from '@openai/agents-extensions';
import { WebSocketServer } from 'ws';
const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
await new Promise(resolve => server.once('listening', resolve));
const url = `ws://127.0.0.1:${server.address().port}/v1/realtime?model=any`;
for (const [name, config] of [['no audio', {}], ['a voice', { audio: { output: { voice: 'verse' } } }]]) {
  const asked = new Promise(resolve => server.once('connection', socket => {
    socket.send(JSON.stringify({ type: 'session.created', event_id: 'e', session: { type: 'realtime', id: 's' } }));
    socket.on('message', text => { const event = JSON.parse(text); if (event.type === 'session.update' && event.session.audio) resolve(event.session.audio); });
  }));
  const twilioWebSocket = Object.assign(new EventEmitter(), { send() {}, close() {} });
  twilioWebSocket.addEventListener = (type, listener) => twilioWebSocket.on(type, listener);
  const transport = new TwilioRealtimeTransportLayer({ twilioWebSocket, url });
  const session = new RealtimeSession(new RealtimeAgent({ name: 'Guide' }), { transport, config });
  session.on('error', () => {});
  void session.connect({ apiKey: 'any' }).catch(() => {});
  const audio = await asked;
  const shown = format => (typeof format === 'string' ? format : `${format?.type} ${format?.rate ?? ''}`.trim());
  console.log(`${name}: in ${shown(audio?.input?.format)}, out ${shown(audio?.output?.format)}`);
}
process.exit(0);
JS
seen=$(timeout 60 node try.mjs 2>/dev/null); echo "$seen"
[ "$seen" = $'no audio: in audio/pcm 24000, out audio/pcm 24000\na voice: in audio/pcmu, out audio/pcmu' ] || { echo "CHANGED"; exit 1; }

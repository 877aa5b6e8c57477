#!/usr/bin/env bash
# openai 5.18.1: the GA Realtime client (openai/realtime/ws) opens its WebSocket with the header "OpenAI-Beta: realtime=v1", which asks a
# server for the beta shape, and then sends and expects GA events. Expected: no beta header, as in openai 6.8.1. A server that chooses
# the shape by the header alone answers this client in the wrong one. Ours: a session.update in the GA shape turns the connection to GA.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT; cd "$folder"
npm init -y >/dev/null
npm install --no-audit --no-fund --silent ws@8.23.0 five@npm:openai@5.18.1 six@npm:openai@6.8.1
openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 1 -subj /CN=localhost 2>/dev/null # the client speaks TLS only
cat > try.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { WebSocketServer } from 'ws';
const https = createServer({ key: readFileSync('key.pem'), cert: readFileSync('cert.pem') });
await new Promise(resolve => https.listen(0, '127.0.0.1', resolve));
const server = new WebSocketServer({ server: https });
for (const name of ['five', 'six']) {
  const { default: OpenAI } = await import(name);
  const { OpenAIRealtimeWS } = await import(`${name}/realtime/ws`);
  const opened = new Promise(resolve => server.once('connection', (_, request) => resolve(request.headers['openai-beta'] ?? 'none')));
  const client = new OpenAI({ apiKey: 'any', baseURL: `https://127.0.0.1:${https.address().port}/v1` });
  const realtime = new OpenAIRealtimeWS({ model: 'any' }, client);
  realtime.on('error', () => {});
  console.log(name, await opened);
}
process.exit(0);
JS
seen=$(NODE_TLS_REJECT_UNAUTHORIZED=0 timeout 60 node try.mjs 2>/dev/null); echo "$seen"
[ "$seen" = $'five realtime=v1\nsix none' ] || { echo "CHANGED"; exit 1; }

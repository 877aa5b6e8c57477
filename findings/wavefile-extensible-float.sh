#!/usr/bin/env bash
# wavefile 11.0.0: a WAV with the extensible header (format tag 0xFFFE) whose sub-format says IEEE float, as ffmpeg writes it for
# pcm_f32le, is read as 32-bit integers. Expected: bitDepth "32f" and samples within [-1, 1]. Seen: bitDepth "32" and samples of the
# floats' bit patterns (0.5 becomes 1056964608), without an error. The same samples behind the plain tag 3 are read as floats.
# Ours: cli/media decodes WAV itself.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT; cd "$folder"
npm init -y >/dev/null; npm install --no-audit --no-fund --silent wavefile@11.0.0
cat > try.cjs <<'JS'
const { WaveFile } = require('wavefile');
const SAMPLES = [0.5, -0.25];
function wav(extensible) {
  const data = Buffer.from(new Float32Array(SAMPLES).buffer);
  const format = Buffer.alloc(extensible ? 40 : 16);
  format.writeUInt16LE(extensible ? 0xfffe : 3, 0);
  format.writeUInt16LE(1, 2);
  format.writeUInt32LE(16000, 4);
  format.writeUInt32LE(64000, 8);
  format.writeUInt16LE(4, 12);
  format.writeUInt16LE(32, 14);
  if (extensible) {
    format.writeUInt16LE(22, 16);
    format.writeUInt16LE(32, 18);
    format.writeUInt32LE(4, 20);
    Buffer.from('0300000000001000800000aa00389b71', 'hex').copy(format, 24); // KSDATAFORMAT_SUBTYPE_IEEE_FLOAT
  }
  const chunk = (id, body) => Buffer.concat([Buffer.from(id), Buffer.from(Uint32Array.of(body.length).buffer), body]);
  const body = Buffer.concat([Buffer.from('WAVE'), chunk('fmt ', format), chunk('data', data)]);
  return chunk('RIFF', body);
}
for (const extensible of [false, true]) {
  const file = new WaveFile(wav(extensible));
  console.log(extensible ? 'extensible' : 'plain', file.bitDepth, Array.from(file.getSamples(false)).join(' '));
}
JS
seen=$(node try.cjs); echo "$seen"
[ "$seen" = $'plain 32f 0.5 -0.25\nextensible 32 1056964608 -1098907648' ] || { echo "CHANGED"; exit 1; }

import { Player } from '../media/player.js';
import { SAMPLE_RATE_HZ } from '../media/pcm16.js';

/** More than this behind, by a tab that slept or a slow network, is left out. */
const MAX_BEHIND_SAMPLES = SAMPLE_RATE_HZ / 2;

/** One call that is watched: its line, and its sound where that is wanted. */
export class Watched {
  /**
   * @param {string} id @param {string} key
   * @param {object} listener
   * @param {(event: any) => void} listener.onEvent
   * @param {(level: number) => void} listener.onLevel of what plays here, 0–1
   * @param {(reason: string) => void} listener.onOver
   */
  constructor(id, key, { onEvent, onLevel, onOver }) {
    const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:';
    const url = `${scheme}//${location.host}/calls/${encodeURIComponent(id)}/listen`;
    this.id = id;
    this.onLevel = onLevel;
    /** @type {Player | null} */
    this.player = null;
    this.given = 0;
    this.heard = 0;
    this.socket = new WebSocket(url, ['calls', ...(key ? [`openai-insecure-api-key.${key}`] : [])]);
    this.socket.binaryType = 'arraybuffer';
    this.socket.onmessage = ({ data }) => {
      if (typeof data === 'string') onEvent(JSON.parse(data));
      else this.sound(data);
    };
    this.socket.onclose = ({ reason }) => {
      this.hush();
      onOver(reason);
    };
  }

  get isHeard() {
    return this.player !== null;
  }

  /** Must follow a click. */
  async listen() {
    const player = new Player({
      onHeard: (_, samples) => {
        this.heard = samples;
      },
      onLevel: level => this.onLevel(level),
    });
    this.player = player;
    [this.given, this.heard] = [0, 0];
    await player.start();
  }

  hush() {
    void this.player?.stop();
    this.player = null;
  }

  leave() {
    this.socket.onclose = null;
    this.socket.onmessage = null;
    this.hush();
    this.socket.close();
  }

  /** @param {ArrayBuffer} bytes */
  sound(bytes) {
    if (!this.player?.node) return;
    if (this.given - this.heard > MAX_BEHIND_SAMPLES) {
      this.player.clear();
      this.given = this.heard;
    }
    const view = new DataView(bytes);
    const samples = Float32Array.from(
      { length: bytes.byteLength / 2 },
      (_, n) => view.getInt16(2 * n, true) / 32_768,
    );
    this.given += samples.length;
    this.player.add('call', samples);
  }
}

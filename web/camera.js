import { insecurePage } from './microphone.js';
import { Problem } from './problem.js';

const FRAME_EVERY_MS = 500;
const LONGEST_SIDE = 640;
const JPEG_QUALITY = 0.8;

/** Two pictures a second from the camera, as JPEG data URIs; the preview shows what is sent. */
export class Camera {
  /** @param {HTMLVideoElement} preview @param {(dataUri: string) => void} onFrame @param {() => void} onLost */
  constructor(preview, onFrame, onLost) {
    this.preview = preview;
    this.onFrame = onFrame;
    this.onLost = onLost;
    this.canvas = document.createElement('canvas');
    /** @type {MediaStream | null} */
    this.stream = null;
    this.timer = 0;
  }

  get running() {
    return this.stream !== null;
  }

  /** @throws {Problem} */
  async start() {
    if (!navigator.mediaDevices) throw insecurePage();
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({
        video: { width: { ideal: LONGEST_SIDE }, frameRate: { ideal: 15 }, facingMode: 'user' },
      });
    } catch (error) {
      throw new Problem(
        'The camera cannot be used.',
        `Allow it for this page and close other programs that use it. The conversation goes on without. (${error instanceof Error ? error.message : error})`,
      );
    }
    this.stream.getVideoTracks()[0].addEventListener('ended', () => this.onLost());
    this.preview.srcObject = this.stream;
    this.preview.hidden = false;
    await this.preview.play();
    this.timer = setInterval(() => this.send(), FRAME_EVERY_MS);
    this.send();
  }

  send() {
    const { videoWidth, videoHeight } = this.preview;
    if (videoWidth === 0) return;
    const scale = Math.min(1, LONGEST_SIDE / Math.max(videoWidth, videoHeight));
    this.canvas.width = Math.round(videoWidth * scale);
    this.canvas.height = Math.round(videoHeight * scale);
    this.canvas.getContext('2d')?.drawImage(this.preview, 0, 0, this.canvas.width, this.canvas.height);
    this.onFrame(this.canvas.toDataURL('image/jpeg', JPEG_QUALITY));
  }

  stop() {
    clearInterval(this.timer);
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.stream = null;
    this.preview.srcObject = null;
    this.preview.hidden = true;
  }
}

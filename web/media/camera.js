import { insecurePage } from './microphone.js';
import { Problem } from '../talk/problem.js';

const FRAME_EVERY_MS = 500;
const LONGEST_SIDE = 640;
const JPEG_QUALITY = 0.8;

/** Two pictures a second from the camera, as JPEG data URIs; the preview shows what is sent. */
export class Camera {
  /**
   * @param {HTMLVideoElement} preview
   * @param {(dataUri: string) => void} onFrame
   * @param {(track: MediaStreamTrack | null) => void} onTrack for a line that takes the pictures itself; null: it is
   * off
   * @param {() => void} onLost
   */
  constructor(preview, onFrame, onTrack, onLost) {
    this.preview = preview;
    this.onTrack = onTrack;
    this.onFrame = onFrame;
    this.onLost = onLost;
    this.canvas = document.createElement('canvas');
    /** @type {MediaStream | null} */
    this.stream = null;
    this.timer = 0;
    /** Wanted; the device may still be opening. */
    this.on = false;
  }

  /** @throws {Problem} */
  async start() {
    if (this.on) return;
    this.on = true;
    const stream = await this.open().catch(problem => {
      this.on = false;
      throw problem;
    });
    // Switched off, or opened a second time, while the browser was asking.
    if (!this.on || this.stream) return stopTracks(stream);
    this.stream = stream;
    stream.getVideoTracks()[0].addEventListener('ended', () => this.onLost());
    this.onTrack(stream.getVideoTracks()[0]);
    this.preview.srcObject = stream;
    this.preview.hidden = false;
    await this.preview.play().catch(() => {}); // Stopped before it began.
    if (this.stream !== stream) return;
    this.timer = setInterval(() => this.send(), FRAME_EVERY_MS);
    this.send();
  }

  async open() {
    if (!navigator.mediaDevices) throw insecurePage();
    const video = { width: { ideal: LONGEST_SIDE }, frameRate: { ideal: 15 }, facingMode: 'user' };
    try {
      return await navigator.mediaDevices.getUserMedia({ video });
    } catch (error) {
      throw new Problem(
        'The camera cannot be used.',
        `Allow it for this page and close other programs that use it. The conversation goes on without. (${error instanceof Error ? error.message : error})`,
      );
    }
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
    this.on = false;
    clearInterval(this.timer);
    if (this.stream) {
      this.onTrack(null);
      stopTracks(this.stream);
    }
    this.stream = null;
    this.preview.srcObject = null;
    this.preview.hidden = true;
  }
}

function stopTracks(stream) {
  for (const track of stream.getTracks()) track.stop();
}

const FRAME_EVERY_MS = 500;
const JPEG_QUALITY = 0.8;

/**
 * Two pictures a second from the camera or the screen, as JPEG data URIs; the preview shows what is sent.
 *
 * @typedef {import('./picture-sources.js').PictureSource} PictureSource
 */
export class PictureStream {
  /**
   * @param {PictureSource} source
   * @param {HTMLVideoElement} preview
   * @param {(dataUri: string) => void} onFrame
   * @param {(track: MediaStreamTrack | null) => void} onTrack for a line that takes the pictures itself; null: it is
   * off
   * @param {() => void} onLost
   */
  constructor(source, preview, onFrame, onTrack, onLost) {
    this.source = source;
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

  /** @throws {import('../talk/problem.js').Problem} */
  async start() {
    if (this.on) return;
    this.on = true;
    const stream = await this.source.open().catch(problem => {
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

  send() {
    const { videoWidth, videoHeight } = this.preview;
    if (videoWidth === 0) return;
    const scale = Math.min(1, this.source.longestSide / Math.max(videoWidth, videoHeight));
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

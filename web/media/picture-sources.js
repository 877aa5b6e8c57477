import { Problem } from '../talk/problem.js';
import { insecurePage } from './microphone.js';

/**
 * What pictures may come from.
 *
 * @typedef {object} PictureSource
 * @property {number} longestSide of a picture that is sent by itself, in pixels
 * @property {() => Promise<MediaStream>} open @throws {Problem}
 */

const CAMERA_SIDE = 640;
/** Writing has to be read. */
const SCREEN_SIDE = 1280;

/** @type {PictureSource} */
export const CAMERA = {
  longestSide: CAMERA_SIDE,
  async open() {
    if (!navigator.mediaDevices) throw insecurePage();
    const video = { width: { ideal: CAMERA_SIDE }, frameRate: { ideal: 15 }, facingMode: 'user' };
    try {
      return await navigator.mediaDevices.getUserMedia({ video });
    } catch (error) {
      throw new Problem(
        'The camera cannot be used.',
        `Allow it for this page and close other programs that use it. The conversation goes on without. (${messageOf(error)})`,
      );
    }
  },
};

/** @type {PictureSource} */
export const SCREEN = {
  longestSide: SCREEN_SIDE,
  async open() {
    if (!navigator.mediaDevices) throw insecurePage();
    const video = { width: { max: SCREEN_SIDE }, frameRate: { max: 5 } };
    try {
      return await navigator.mediaDevices.getDisplayMedia({ video });
    } catch (error) {
      throw new Problem(
        'The screen is not shared.',
        `Press the button again and choose what to show. The conversation goes on without. (${messageOf(error)})`,
      );
    }
  },
};

/** Telephones have none to share. */
export const screenCanBeShared = () => Boolean(navigator.mediaDevices?.getDisplayMedia);

const messageOf = error => (error instanceof Error ? error.message : String(error));

export { CodeFrames } from './code-frames.ts';

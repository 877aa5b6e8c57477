export type { RecordingHeader } from './format.ts';
export { decodeRecording, type Recording } from './frames.ts';
export { hashOf } from './hash.ts';
export { recordedClock, recordedEngine, recordedRuntime } from './recorded-runtime.ts';
export { Recorder, type RecordingFile, type RecordingNames, type RecordingTarget } from './recorder.ts';
export {
  type Divergence,
  type ReplayedEvent,
  type ReplayResult,
  type ReplayWorld,
  recordedEvents,
  replay,
} from './replay.ts';
export { packTool, recordedTools } from './tools.ts';

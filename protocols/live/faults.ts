/** What a running session says of its own failures, and of what it cannot do now. */
import { faultType, refusal, wireCode } from '../json/index.ts';
import type { LiveError } from './outbox.ts';

export function faultOf({ code, message }: { readonly code: string; readonly message: string }): LiveError {
  return { type: faultType(code), code: wireCode(code), message };
}

export const alreadyStarted = (): Error =>
  refusal('session_already_started', 'The session has started; open another connection for another.');

export const onTrack = (): Error =>
  refusal('unsupported_event', 'This session’s sound comes on its track, not in events.', 'type');

export const fixturePlays = (): Error =>
  refusal('fixture_active', 'A fixture is being played; wait for session.output_audio.fixture.played.');

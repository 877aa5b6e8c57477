/** What a caller is told whose offer, or whose session, cannot be taken. */
import { RuntimeError } from '../../kernels/errors.ts';
import { wireCode } from '../json/index.ts';
import { errorAnswer, type HttpAnswer, jsonAnswer } from './socket-server.ts';

/** Throws on what is no caller's matter. */
export function callRefusal(error: unknown): HttpAnswer {
  if (!(error instanceof RuntimeError)) throw error;
  const { code: own, message, values } = error;
  const code = wireCode(own.replace(/^webrtc\./, ''));
  if (own === 'webrtc.body_type') return errorAnswer(415, 'unsupported_media_type', message);
  if (own === 'webrtc.unknown_call') return errorAnswer(404, 'call_not_found', message);
  if (own === 'webrtc.busy' || own === 'webrtc.no_session')
    return errorAnswer(503, code, message, { 'retry-after': '2' });
  const param = typeof values.param === 'string' ? values.param : null;
  return jsonAnswer(400, { error: { type: 'invalid_request_error', code, message, param } });
}

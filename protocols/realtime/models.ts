/** `GET /v1/models` and `/v1/models/NAME`: the one model that answers here, whatever name a session asks for. */
import { errorAnswer, type HttpAnswer, jsonAnswer, methodNotAllowed } from '../server/socket-server.ts';

/** `name` null lists them. */
export function answerModels(method: string, name: string | null, modelName: string): HttpAnswer {
  if (method !== 'GET' && method !== 'HEAD') return methodNotAllowed(method, 'GET, HEAD');
  const model = { id: modelName, object: 'model', created: 0, owned_by: 'longcat-rt' };
  if (name === null) return jsonAnswer(200, { object: 'list', data: [model] });
  if (name === modelName) return jsonAnswer(200, model);
  return errorAnswer(404, 'model_not_found', `There is no model ${name} here; ${modelName} answers.`);
}

/** Delegation of GPT-Live: to the client, or to a backend of the Responses API. */
export type { Backend } from './backend.ts';
export { Delegating } from './delegating.ts';
export { type ResponsesEndpoint, responsesEndpoint } from './responses-endpoint.ts';

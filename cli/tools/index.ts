export { loadTools } from './load-tools.ts';

export { componentFindings } from './components.ts';
export { cudaFinding, engineFinding } from './engine.ts';
export type { Finding } from './finding.ts';
export { hostFindings } from './hosts.ts';
export { modelFinding } from './model.ts';
export { programsFinding } from './programs.ts';
export { weightsFinding, weightsPlace } from './weights.ts';

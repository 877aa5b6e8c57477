// A worker thread does not inherit the parent's loader; tsx strips the types of what runs here.
import 'tsx/esm';

await import('./worker.ts');

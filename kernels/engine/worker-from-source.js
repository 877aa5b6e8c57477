// A worker thread does not inherit the parent's loader; tsx strips the types of what runs here.
import { register } from 'tsx/esm/api';

register();
await import('./worker.ts');

export { RESERVED_ENTRIES, readSpecialTokens } from './special-tokens.ts';
export { loadTokenizer } from './tokenizer.ts';
export { readToolTemplate, type ToolTemplate } from './tool-template.ts';

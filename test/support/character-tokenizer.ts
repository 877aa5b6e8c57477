import type { Tokenizer } from '../../kernels/engine/index.ts';

const CHARACTERS = 200;
/** Ids of tags that are written whole. */
const TAGS = 900;
const TAG = /(<\/?longcat_(?:tool_call|arg_key|arg_value)>)/;
export const tagIds = new Map(
  ['tool_call', 'arg_key', 'arg_value'].flatMap((name, i): [string, number][] => [
    [`<longcat_${name}>`, TAGS + 2 * i],
    [`</longcat_${name}>`, TAGS + 2 * i + 1],
  ]),
);
const tagTexts = new Map([...tagIds].map(([tag, id]) => [id, tag]));

/** One id per ASCII character; special tokens decode to nothing. */
export const characterTokenizer: Tokenizer = {
  encode: text => [...text].map(character => CHARACTERS + character.charCodeAt(0)),
  decode: ids =>
    ids
      .filter(id => id >= CHARACTERS)
      .map(id => tagTexts.get(id) ?? String.fromCharCode(id - CHARACTERS))
      .join(''),
};

export const withWholeTags = (text: string): number[] =>
  text.split(TAG).flatMap(part => tagIds.get(part) ?? characterTokenizer.encode(part));

/**
 * A frame that carries pictures is megabytes of base64 in a few hundred characters of JSON. To make a string of it, to
 * parse that and to decode it are three copies on the thread that serves everybody, 80 ms of it for a photograph. So
 * long pictures are cut out of the frame while it is bytes, the rest is parsed with a mark in place of each, and only
 * the decoder looks at them.
 */
import { textOf } from '../guard/index.ts';
import { type ClientEvent, MAX_IMAGE_BASE64 } from './client-events.ts';
import { type ParsedEvent, parseEvent } from './parse-event.ts';

const NAME = Buffer.from('"image_url"');
const VALUE = /^\s*:\s*"data:image\/(?:png|jpe?g);base64,/i;
/** Room for what `VALUE` matches. */
const HEAD_BYTES = 64;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** What is shorter may as well be text. */
const MIN_CUT_BYTES = 32 * 1024;
/** As many as an item may have parts. */
const MAX_CUT = 64;
/** `#` is no base64: a text with a mark is a picture only where there is one of that number. */
const MARK = /#(\d+)$/;

/** The base64 of pictures, as ASCII, by the number of their marks. */
export type CutPictures = readonly Uint8Array[];

export interface ParsedFrame {
  readonly parsed: ParsedEvent;
  readonly pictures: CutPictures;
}

/**
 * As `parseEvent`, of UTF-8. Pictures are cut out where they are an item's, and nowhere else: anything else is parsed
 * as it came.
 */
export function parseFrame(utf8: Uint8Array, toGa?: Parameters<typeof parseEvent>[1]): ParsedFrame {
  const { text, pictures } = cut(Buffer.from(utf8.buffer, utf8.byteOffset, utf8.length));
  if (pictures.length > 0) {
    const parsed = parseEvent(text, toGa);
    if (parsed.ok && areMarked(parsed.event, pictures)) return { parsed, pictures };
  }
  return { parsed: parseEvent(textOf(utf8), toGa), pictures: [] };
}

/** The picture that stands at this mark, if the text ends with one. */
export function pictureAt(text: string, pictures: CutPictures): Uint8Array | undefined {
  const number = MARK.exec(text.slice(-8))?.[1];
  return number === undefined ? undefined : pictures[Number(number)];
}

function cut(frame: Buffer): { readonly text: string; readonly pictures: CutPictures } {
  const pictures: Uint8Array[] = [];
  const rest: string[] = [];
  let from = 0;
  for (let at = frame.indexOf(NAME); at >= 0 && pictures.length < MAX_CUT; ) {
    const start = at + NAME.length;
    const head = VALUE.exec(frame.toString('latin1', start, start + HEAD_BYTES))?.[0].length ?? 0;
    const end = head > 0 ? frame.indexOf(QUOTE, start + head) : -1;
    const picture = frame.subarray(start + head, Math.max(end, start + head));
    if (isCut(picture)) {
      rest.push(frame.toString('utf8', from, start + head), `#${pictures.length}`);
      pictures.push(picture);
      from = end;
    }
    at = frame.indexOf(NAME, Math.max(end, start));
  }
  return { text: rest.join('') + frame.toString('utf8', from), pictures };
}

function isCut(picture: Buffer): boolean {
  const { length } = picture;
  return length >= MIN_CUT_BYTES && length <= MAX_IMAGE_BASE64 && !picture.includes(BACKSLASH);
}

/** Whether each stands where a picture of an item does, and nothing else looks as if it did. */
function areMarked(event: ClientEvent, pictures: CutPictures): boolean {
  if (event.type !== 'conversation.item.create' || event.item.type !== 'message') return false;
  const urls = event.item.content.map(part => (part.type === 'input_image' ? part.image_url.slice(-8) : ''));
  const marks = urls.flatMap(url => MARK.exec(url)?.[1] ?? []);
  return marks.length === pictures.length && pictures.every((_, number) => marks.includes(String(number)));
}

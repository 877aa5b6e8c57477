/**
 * Pictures are cut out of long frames while these are bytes; whatever is parsed so is what the whole text would have
 * been.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesOfBase64, bytesOfLongBase64 } from '../../protocols/media/index.ts';
import { parseFrame, pictureAt } from '../../protocols/realtime/cut-pictures.ts';
import { parseEvent } from '../../protocols/realtime/parse-event.ts';

const HEAD = 'data:image/png;base64,';
const long = (letter: string) => HEAD + letter.repeat(40_000);
const text = (words: string) => ({ type: 'input_text', text: words });
const image = (url: string) => ({ type: 'input_image', image_url: url });
const create = (...content: unknown[]) => ({
  type: 'conversation.item.create',
  item: { type: 'message', role: 'user', content },
});

/** What the frame says, its pictures put back; and how many there were. */
function read(json: string) {
  const { parsed, pictures } = parseFrame(Buffer.from(json));
  const back = (url: string) => {
    const picture = pictureAt(url, pictures);
    return picture ? url.slice(0, url.lastIndexOf('#')) + Buffer.from(picture).toString('latin1') : url;
  };
  const whole = JSON.parse(
    JSON.stringify(parsed, (key, value) => (key === 'image_url' ? back(value) : value)),
  ) as unknown;
  return { whole, cut: pictures.length };
}

const whole = (json: string) => JSON.parse(JSON.stringify(parseEvent(json))) as unknown;

describe('a frame with pictures', () => {
  it('is parsed without them, wherever they stand among other parts', () => {
    const json = JSON.stringify(
      create(text('größer "image_url"'), image(long('A')), text('x'), image(long('B'))),
    );
    expect(read(json)).toEqual({ whole: whole(json), cut: 2 });
    const spaced = JSON.stringify(create(image(long('A')), image(`${HEAD}QUJD`)), null, 2);
    expect(read(spaced)).toEqual({ whole: whole(spaced), cut: 1 });
  });

  it.each<[string, string]>([
    ['in a text', JSON.stringify(create(text(JSON.stringify(image(long('A'))))))],
    [
      'in an item of another kind',
      JSON.stringify({ type: 'conversation.item.create', item: { type: 'mcp_call', image_url: long('A') } }),
    ],
    [
      'twice in a part',
      JSON.stringify(create(image(long('A')))).replace('}', `,"image_url":"${long('B')}"}`),
    ],
    ['as the end of another name', JSON.stringify(create({ ...text('x'), 'y"image_url': long('A') }))],
    ['with an escape in it', JSON.stringify(create(image(`${long('A')}"`)))],
    ['beside a text that looks like a mark', JSON.stringify(create(image(long('A')), image(`${HEAD}#0`)))],
    ['in a frame that breaks off', JSON.stringify(create(image(long('A')))).slice(0, 30_000)],
    ['in no JSON', `${JSON.stringify(create(image(long('A'))))}}`],
    ['of a kind that there is not', JSON.stringify(create({ type: 'input_film', image_url: long('A') }))],
  ])('is parsed as it came with one %s', (_where, json) => {
    expect(read(json)).toEqual({ whole: whole(json), cut: 0 });
  });
});

describe('long base64', () => {
  const nextTurn = async () => {};
  const decode = (letters: string) => bytesOfLongBase64(Buffer.from(letters), nextTurn);

  it('gives the bytes that short base64 does, or none', async () => {
    const letter = fc.constantFrom(...'AZaz09+/-_=\n#');
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: letter, maxLength: 12 }), async letters => {
        expect(await decode(letters)).toEqual(bytesOfBase64(letters));
      }),
    );
  });

  it('is decoded in pieces with turns of the loop between', async () => {
    const bytes = Buffer.alloc(600_001, 'a picture');
    let turns = 0;
    const letters = bytes.toString('base64');
    const count = async () => void turns++;
    const decoded = await bytesOfLongBase64(Buffer.from(letters), count);
    expect([decoded?.equals(bytes), turns]).toEqual([true, 3]);
    expect(await decode(`${letters.slice(0, 300_000)}#${letters.slice(300_001)}`)).toBeNull();
  });
});

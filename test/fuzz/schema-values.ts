/** Values that a zod schema describes, and some just beyond its bounds, as fast-check generators. */
import fc from 'fast-check';
import type { z } from 'zod';

type Schema = z.core.$ZodType;
// biome-ignore lint/suspicious/noExplicitAny: zod's definitions differ by type and are looked into, not written.
type Definition = any;

const MAX_STRING = 300;
const anything: fc.Arbitrary<unknown> = fc.anything({ maxDepth: 2, withNullPrototype: false });

/** `field`: the name under which the value stands; some strings mean more than text. */
export function valuesOf(schema: Schema, field = ''): fc.Arbitrary<unknown> {
  const definition: Definition = schema._zod.def;
  switch (definition.type) {
    case 'object':
      return objects(definition);
    case 'union':
      return fc.oneof(...definition.options.map((option: Schema) => valuesOf(option, field)));
    case 'array':
      return fc.array(valuesOf(definition.element, field), { maxLength: 4 });
    case 'record':
      return fc.dictionary(fc.string({ maxLength: 20 }), valuesOf(definition.valueType, field), {
        maxKeys: 5,
      });
    case 'optional':
    case 'nullable':
    case 'default':
    case 'prefault':
    case 'catch':
    case 'readonly':
      return fc.oneof(
        { weight: 4, arbitrary: valuesOf(definition.innerType, field) },
        { weight: 1, arbitrary: fc.constant(null) },
      );
    case 'pipe':
      return fc.oneof(valuesOf(isTransform(definition.in) ? definition.out : definition.in, field));
    case 'lazy':
      return valuesOf(definition.getter(), field);
    case 'literal':
      return fc.constantFrom(...definition.values);
    case 'enum':
      return fc.constantFrom(...Object.values<unknown>(definition.entries));
    case 'boolean':
      return fc.boolean();
    case 'number':
      return numbers;
    case 'string':
      return strings(field);
    default:
      return anything;
  }
}

const isTransform = (schema: Schema): boolean => (schema._zod.def as Definition).type === 'transform';

function objects(definition: Definition): fc.Arbitrary<unknown> {
  const shape: Record<string, Schema> = definition.shape;
  const model = Object.fromEntries(
    Object.entries(shape).map(([name, value]) => [name, valuesOf(value, name)]),
  );
  const required = Object.entries(shape).filter(([, value]) => value._zod.optin === undefined);
  return fc.record(model, { requiredKeys: required.map(([name]) => name) });
}

const numbers = fc.oneof(
  fc.integer({ min: -2, max: 5000 }),
  fc.double({ min: 0, max: 1 }),
  fc.constantFrom(0, -0, 1, 0.5, 20, 600, 24_000, 4096, 1e9, -1, 2 ** 53, 1e308, 1.5),
);

const PNG =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const SOUNDS = [0, 1, 160, 959, 960, 4801, 48_000].map((bytes, at) =>
  Buffer.alloc(bytes, at % 2 ? 0x21 : 0).toString('base64'),
);
const audio = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...SOUNDS) },
  fc.base64String({ maxLength: 60 }),
);
const images = fc.oneof(
  fc.constantFrom(
    `data:image/png;base64,${PNG}`,
    PNG,
    'data:image/png;base64,',
    'data:image/jpeg;base64,AAAA',
    'http://x/y.png',
  ),
  fc.base64String({ maxLength: 40 }),
);
const ids = fc.constantFrom('a', 'b', 'c', 'item_x', 'root', 'resp_1', 'item_sess_1');

// Made once: each of them maps every letter of Unicode.
const shortTexts = fc.string({ maxLength: 8 });
const texts = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('Hello.', 'Count to ten.', '') },
  { weight: 3, arbitrary: fc.string({ maxLength: MAX_STRING, unit: 'binary' }) },
);

function strings(field: string): fc.Arbitrary<string> {
  if (field === 'audio') return audio;
  if (field === 'image' || field === 'image_url') return images;
  if (field.endsWith('id')) return fc.oneof({ weight: 5, arbitrary: ids }, shortTexts);
  return texts;
}

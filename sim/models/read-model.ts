import { readdirSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { RuntimeError } from '../../kernels/errors.ts';
import { PACKAGE_ROOT } from '../../kernels/package-root.ts';
import { type ModelSpec, modelSchema } from './model-schema.ts';

const FOLDER = `${PACKAGE_ROOT}sim/models/`;
const SUFFIX = '.yaml';
const known = new Map<string, ModelSpec>();

/** Stems of the files in sim/models. */
export function modelNames(): string[] {
  return readdirSync(FOLDER)
    .filter(file => file.endsWith(SUFFIX))
    .map(file => file.slice(0, -SUFFIX.length))
    .sort();
}

/** One of sim/models, by its stem. @throws RuntimeError `sim.model` */
export function readModel(name: string): ModelSpec {
  const read = known.get(name);
  if (read) return read;
  if (!modelNames().includes(name)) {
    const remedy = `There are ${modelNames().join(', ')}; or give the path of a file like them, ending with .yaml.`;
    throw new RuntimeError('sim.model', 'There is no such model.', { model: name }, remedy);
  }
  const model = modelSchema.parse(parse(readFileSync(FOLDER + name + SUFFIX, 'utf8')));
  known.set(name, model);
  return model;
}

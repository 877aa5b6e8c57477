import { type Command, InvalidArgumentError } from 'commander';
import { configSchema, LISTS } from './config/schema.ts';

const MAX_LIST = 1_000_000;

/** Adds a flag for each of these settings of the schema, so that flags and schema cannot drift apart. */
export function addConfigOptions(
  command: Command,
  settings: readonly (keyof typeof configSchema.shape)[],
): Command {
  command.option('--config <file>', 'YAML or JSON file with settings');
  for (const setting of settings) {
    const flag = setting.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`);
    const isList = LISTS.has(setting);
    const meaning = configSchema.shape[setting].description ?? '';
    if (isList) command.option(`--${flag} <a,b>`, meaning, commaList);
    else command.option(`--${flag} <value>`, meaning);
  }
  return command;
}

function commaList(text: string): string[] {
  return text.split(',').map(entry => entry.trim());
}

/** "8,16" → [8, 16]; "" → []. For commander's option parsing. */
export function numberList(text: string): number[] {
  const list = text.trim() === '' ? [] : text.split(',').map(Number);
  const isBad = list.some(value => !Number.isFinite(value) || value < 0);
  if (isBad || list.length > MAX_LIST)
    throw new InvalidArgumentError('Give numbers separated by commas, for example 8,16.');
  return list;
}

export function wholeNumberList(text: string): number[] {
  const list = numberList(text);
  if (list.every(Number.isInteger)) return list;
  throw new InvalidArgumentError('Give whole numbers separated by commas, for example 8,16.');
}

export function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError('Give a whole number.');
  return value;
}

export function positiveNumber(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError('Give a number above 0.');
  return value;
}

/** Counted from 1. */
export function channelNumber(text: string): number {
  const value = { left: 1, right: 2 }[text.toLowerCase()] ?? wholeNumber(text);
  if (value < 1) throw new InvalidArgumentError('Channels are counted from 1.');
  return value;
}

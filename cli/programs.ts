/** Programs of the machine that some commands use where they are installed. */
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

const ENDINGS = process.platform === 'win32' ? ['.exe', '.cmd'] : [''];

/** The path of a program that may be run, null where there is none. */
export function findProgram(name: string, environment: Environment = process.env): string | null {
  const folders = (environment.PATH ?? '').split(delimiter).filter(Boolean);
  for (const path of folders.flatMap(folder => ENDINGS.map(ending => join(folder, name + ending)))) {
    if (isExecutable(path)) return path;
  }
  return null;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** How the people of this system install something; `package` is its name with Debian and Homebrew. */
export function installHint(packageName: string): string {
  if (process.platform === 'darwin') return `brew install ${packageName}`;
  if (process.platform === 'win32') return `winget install ${packageName}`;
  return `sudo apt install ${packageName}`;
}

import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { RuntimeError } from '../kernels/errors.ts';
import { PACKAGE_ROOT } from '../kernels/package-root.ts';
import { CATALOGUE } from './catalogue.ts';
import { nearestName } from './config/suggestion.ts';

const PACKAGE = `${PACKAGE_ROOT}package.json`;

try {
  const program = await programFor(process.argv.slice(2));
  await program.parseAsync();
} catch (error) {
  console.error(errorLine(error));
  process.exitCode = 1;
}

/** Only the commands that are named are completed: to load all of them takes seconds on a busy machine. */
async function programFor(words: readonly string[]): Promise<Command> {
  const { version } = JSON.parse(readFileSync(PACKAGE, 'utf8'));
  const program = new Command('longcat-rt')
    .enablePositionalOptions()
    .description('A real-time runtime for live spoken and video conversation with LongCat-Flash-Omni models.')
    .version(version, '-v, --version', 'print the version')
    .addHelpText(
      'after',
      '\nlongcat-rt COMMAND --help shows the options of a command and an example.\n\nStart with: longcat-rt doctor, then longcat-rt serve',
    );
  const named = words.filter(word => !word.startsWith('-')).slice(0, 2);
  for (const [name, { takes, does, complete }] of Object.entries(CATALOGUE)) {
    const command = new Command(name).description(does);
    if (named.includes(name)) await complete(command);
    else if (takes) command.arguments(takes);
    program.addCommand(command);
  }
  withPlainErrors(program, program.name());
  return program;
}

/**
 * An error stands alone, then what was probably meant, then where help is; no value of an unknown option is repeated.
 */
function withPlainErrors(command: Command, path: string): void {
  command.showHelpAfterError(`${path} --help shows what there is.`);
  command.configureOutput({ outputError: (text, write) => write(withoutValue(command, text)) });
  for (const inner of command.commands) withPlainErrors(inner, `${path} ${inner.name()}`);
}

function withoutValue(command: Command, text: string): string {
  const name = /^error: unknown option '--([\w-]+)=/.exec(text)?.[1];
  if (name === undefined) return text;
  const options = command.options.flatMap(({ long }) => long?.slice(2) ?? []);
  const meant = nearestName(name, options);
  return `error: unknown option '--${name}=…'\n${meant ? `(Did you mean --${meant}?)\n` : ''}`;
}

function errorLine(error: unknown): string {
  if (error instanceof RuntimeError) return `error ${error.code}: ${error.message}`;
  const { code, syscall, message, stack } = error as NodeJS.ErrnoException;
  // What the system refuses says itself what and where; anything else is a fault of ours and wants its place.
  return syscall ? `error system.${code}: ${message}` : (stack ?? String(error));
}

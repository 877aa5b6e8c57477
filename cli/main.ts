import { program } from 'commander';
import { RuntimeError } from '../kernels/errors.ts';
import { benchCommand } from './commands/bench.ts';
import { docsCommand } from './commands/docs.ts';
import { doctorCommand } from './commands/doctor.ts';
import { evalCommand } from './commands/eval.ts';
import { forwardCommand } from './commands/forward.ts';
import { interleaveCommand } from './commands/interleave.ts';
import { replayCommand } from './commands/replay.ts';
import { serveCommand } from './commands/serve.ts';
import { simCommand } from './commands/sim.ts';
import { talkCommand } from './commands/talk.ts';

program
  .name('longcat-rt')
  .description('A real-time runtime for live spoken and video conversation with LongCat-Flash-Omni models.')
  .showHelpAfterError();

for (const command of [
  serveCommand,
  talkCommand,
  simCommand,
  replayCommand,
  forwardCommand,
  interleaveCommand,
  benchCommand,
  doctorCommand,
  evalCommand,
  docsCommand,
]) {
  program.addCommand(command());
}

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof RuntimeError)) throw error;
  console.error(`error ${error.code}: ${error.message}`);
  process.exitCode = 1;
}

import type { Command } from 'commander';

interface CatalogueCommand {
  /** What stands behind the name in the list of commands. */
  readonly takes: string;
  readonly does: string;
  /** Adds arguments, options and the action; loads what they need, which `--help` of another command does without. */
  readonly complete: (command: Command) => Promise<Command>;
}

/** Every command of `longcat-rt`, in the order in which a newcomer needs them. */
export const CATALOGUE: Readonly<Record<string, CatalogueCommand>> = {
  serve: {
    takes: '',
    does: 'Serve the page at / and the OpenAI Realtime protocol at /v1/realtime.',
    complete: async command => (await import('./commands/serve.ts')).serveCommand(command),
  },
  talk: {
    takes: '[file]',
    does: 'Run a recorded person, or the microphone, through the full pipeline; silence ends turns.',
    complete: async command => (await import('./commands/talk.ts')).talkCommand(command),
  },
  call: {
    takes: '<url> [file]',
    does: 'Call a running server, with a recording or the microphone: a client in the terminal.',
    complete: async command => (await import('./commands/call.ts')).callCommand(command),
  },
  join: {
    takes: '<janus>',
    does: 'Bring the agent of a running server into a conference: a room of a Janus server.',
    complete: async command => (await import('./commands/join.ts')).joinCommand(command),
  },
  'fake-carrier': {
    takes: '<carrier> <url> [files...]',
    does: 'Call a telephone door of a running server as its carrier would, with faults if wanted.',
    complete: async command => (await import('./commands/fake-carrier.ts')).fakeCarrierCommand(command),
  },
  engine: {
    takes: '',
    does: 'Serve components of a model to servers on other hosts, over NATS.',
    complete: async command => (await import('./commands/engine.ts')).engineCommand(command),
  },
  sim: {
    takes: '<file>',
    does: 'Simulate a scenario: the same actors, a modelled engine, simulated people and networks.',
    complete: async command => (await import('./commands/sim.ts')).simCommand(command),
  },
  replay: {
    takes: '<file>',
    does: 'Run a recording again under virtual time: to the bit, or with something changed to see what would have been.',
    complete: async command => (await import('./commands/replay.ts')).replayCommand(command),
  },
  forward: {
    takes: '',
    does: 'Run the language model on token ids, or one component on a file, and print what comes out.',
    complete: async command => (await import('./commands/forward.ts')).forwardCommand(command),
  },
  interleave: {
    takes: '',
    does: 'Print the order in which the tokens of one audio-video item stand before the language model.',
    complete: async command => (await import('./commands/interleave.ts')).interleaveCommand(command),
  },
  bench: {
    takes: '[name] [options...]',
    does: 'Run a benchmark; prints medians and spread beside a named peer or the limit of the machine.',
    complete: async command => (await import('./commands/bench.ts')).benchCommand(command),
  },
  doctor: {
    takes: '',
    does: 'Say what this machine has and what will be used.',
    complete: async command => (await import('./commands/doctor.ts')).doctorCommand(command),
  },
  eval: {
    takes: '',
    does: 'Hold conversations with held-out voices, wordings and scenes, and say how many answers were right.',
    complete: async command => (await import('./commands/eval.ts')).evalCommand(command),
  },
  docs: {
    takes: '',
    does: 'Write docs/configuration.md and docs/scenarios.md from their schemas.',
    complete: async command => (await import('./commands/docs.ts')).docsCommand(command),
  },
};

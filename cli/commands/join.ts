import type { Command } from 'commander';
import { RealClock } from '../../actors/core/index.ts';
import { Guest } from '../join/guest.ts';
import { StopSignals } from '../stop-signals.ts';

interface JoinOptions {
  readonly room: string;
  readonly pin?: string;
  readonly as: string;
  readonly server: string;
}

/** `longcat-rt join URL --room ROOM`: the agent of a running server sits in a conference. */
export function joinCommand(command: Command): Command {
  return command
    .argument('<janus>', 'the WebSocket of a Janus server, ws(s)://HOST:PORT')
    .requiredOption('--room <room>', 'an AudioBridge room of it, by its number or name')
    .option('--pin <pin>', 'of the room, where it has one')
    .option('--as <name>', 'what the others read', 'Agent')
    .option('--server <url>', 'the running longcat-rt', 'http://127.0.0.1:8080')
    .addHelpText(
      'after',
      '\nA key of the server is taken from LONGCAT_RT_KEY. Ctrl-C leaves the room.' +
        '\n\nExample:\n  longcat-rt join ws://127.0.0.1:8188 --room 1234 --as Ada',
    )
    .action(join);
}

async function join(janus: string, { room, pin, as: name, server }: JoinOptions): Promise<void> {
  const clock = new RealClock();
  const signals = new StopSignals();
  const guest = await Guest.join({
    ...{ clock, janus, pin: pin ?? null, name, server, key: process.env.LONGCAT_RT_KEY ?? null },
    room: /^\d+$/.test(room) ? Number(room) : room,
    onMuted: muted => console.log(muted ? 'Muted by the room.' : 'Heard again.'),
    onGone: reason => {
      console.error(`The room is left: ${reason}.`);
      process.exit(1);
    },
  });
  console.log(`In room ${room} as ${name} (call ${guest.callId}). Ctrl-C leaves.`);
  signals.watch({ clock, drain: async () => {}, close: () => guest.leave() });
}

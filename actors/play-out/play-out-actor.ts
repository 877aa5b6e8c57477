import type { ActorDefinition } from '../core/actor.ts';
import { ENDS_ITS_SESSION, messageBehaviour } from '../core/message-behaviour.ts';
import type { HeardLedger } from './heard-ledger.ts';
import type { PlayOutControl, PlayOutOutput, PlayOutPorts, PlayOutSpeech } from './messages.ts';
import { PlayOut } from './play-out.ts';
import type { Speaker } from './speaker.ts';

export interface PlayOutDeps {
  readonly ledger: HeardLedger;
  readonly sampleRate: number;
  readonly speaker: Speaker;
  readonly reportGraceMs: number;
}

/** Packets of speech, and messages of the session itself, that may wait. */
const SPEECH = 1024;
const CONTROL = 1024;

/** The play-out actor of a session. */
export function playOutActor(deps: PlayOutDeps): ActorDefinition<PlayOutPorts, PlayOutOutput> {
  const { ledger, sampleRate, speaker, reportGraceMs } = deps;
  return {
    name: 'play-out',
    ports: {
      speech: { capacity: SPEECH, overflow: 'fail', fenced: true },
      control: { capacity: CONTROL, overflow: 'never-drop', fenced: false },
    },
    supervision: ENDS_ITS_SESSION,
    behaviour: messageBehaviour(({ clock }, emit) => {
      const playOut = new PlayOut({ clock, ledger, sampleRate, speaker, reportGraceMs, emit });
      return {
        receive({ port, message }) {
          if (port === 'control') control(playOut, message.body);
          else speech(playOut, message.body);
        },
        stop: () => playOut.close(),
      };
    }),
  };
}

function speech(playOut: PlayOut, given: PlayOutSpeech): void {
  if (given.type === 'speech') playOut.add(given.itemId, given.samples, given.speed);
  else playOut.finish(given.itemId);
}

function control(playOut: PlayOut, command: PlayOutControl): void {
  if (command.type === 'gate') command.open ? playOut.openGate() : playOut.closeGate();
  else if (command.type === 'speaker') playOut.setSpeaker(command.speaker);
  else if (command.type === 'gain') playOut.setGainDb(command.gainDb);
  else if (command.type === 'hold') playOut.hold(command.held);
  else if (command.type === 'line') playOut.setLine(command.lost);
  else if (command.type === 'reported') playOut.reported(command.itemId);
  else if (command.type === 'drop-unsent') playOut.dropUnsent(command.itemId);
  else if (command.type === 'limit') playOut.limit(command.itemId, command.samples);
  else if (command.type === 'stopped') playOut.stopped(command.itemId);
  else if (command.type === 'discard') playOut.discard(command.itemId);
  else playOut.clear();
}

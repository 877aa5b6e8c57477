/** A runtime whose sessions say at once what they hear: the way of a call's sound, without the model. */
import type { Runtime, Session, SessionCommand, Speaker } from '../../actors/session-api.ts';

const ITEM_ID = 'echo';

/** 16 kHz to 24 kHz by straight lines between the samples: no filter, so no delay of its own. */
class ThreeHalves {
  #last = 0;
  #half = false;

  /** Each two samples make three. */
  apply(samples: Float32Array): Float32Array {
    const out: number[] = [];
    for (const sample of samples) {
      const between = (share: number) => this.#last + share * (sample - this.#last);
      if (this.#half) out.push(between(1 / 3), sample);
      else out.push(between(2 / 3));
      this.#half = !this.#half;
      this.#last = sample;
    }
    return Float32Array.from(out);
  }
}

export function echoRuntime(runtime: Runtime): Runtime {
  return {
    ...{ sessions: runtime.sessions, limits: runtime.limits, health: runtime.health },
    callsTools: runtime.callsTools,
    close: () => runtime.close(),
    openSession: (settings, options) => {
      const session = runtime.openSession(settings, options);
      return options?.speaker ? sayingBack(session, options.speaker) : session;
    },
  };
}

function sayingBack(session: Session, speaker: Speaker): Session {
  const rate = new ThreeHalves();
  const send = (command: SessionCommand) => {
    if (command.type === 'audio') speaker.write(ITEM_ID, rate.apply(command.samples));
    else session.send(command);
  };
  return new Proxy(session, {
    get(own, name) {
      if (name === 'send') return send;
      const value: unknown = Reflect.get(own, name, own);
      return typeof value === 'function' ? value.bind(own) : value;
    },
  });
}

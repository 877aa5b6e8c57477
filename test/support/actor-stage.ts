import {
  type ActorDefinition,
  ActorSystem,
  createRandom,
  type Envelope,
  type SessionFailure,
  type SpawnedActor,
  silentLogger,
  spawn,
  VirtualClock,
} from '../../actors/core/index.ts';

/** One actor under a virtual clock: sends on behalf of sessions, keeps what comes out. */
export class ActorStage<Ports, Out> {
  readonly clock = new VirtualClock();
  readonly system: ActorSystem;
  /** With the time at which they came. */
  readonly outputs: (Envelope<Out> & { readonly atMs: number })[] = [];
  readonly failures: SessionFailure[] = [];
  readonly actor: SpawnedActor<Ports, Out>;
  turn = 1;

  constructor(define: (stage: ActorStage<Ports, Out>) => ActorDefinition<Ports, Out>, seed = 1) {
    this.system = new ActorSystem({
      clock: this.clock,
      random: createRandom(seed),
      log: silentLogger,
    });
    this.system.failures$.subscribe(failure => this.failures.push(failure));
    this.actor = spawn(define(this), this.system);
    this.actor.output$.subscribe(output => this.outputs.push({ ...output, atMs: this.clock.nowMs() }));
  }

  send<P extends keyof Ports>(session: string, port: P, body: Ports[P]): void {
    const epoch = this.system.epochs.current(session);
    this.actor.send(port, { session, turn: this.turn, epoch, body });
  }

  /** Bodies of a session's outputs so far. */
  of(session: string): Out[] {
    return this.outputs.filter(output => output.session === session).map(({ body }) => body);
  }

  run(ms: number): Promise<number> {
    return this.clock.runFor(ms);
  }

  rest(): Promise<number> {
    return this.clock.runToCompletion({ maxEvents: 1_000_000 });
  }
}

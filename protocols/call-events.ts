/** What happens in telephone calls, for whoever wants to be told beside the log (`telephone/call-webhook.ts`). */

/** `call` is the name of the call and of its session. */
export type CallEvent =
  | {
      readonly type: 'call.started';
      readonly call: string;
      /** `sip`, `twilio` …: who brings it. */
      readonly carrier: string;
      /** As the carrier names it, and who calls whom, as far as that is told. */
      readonly carrierCallId: string | null;
      readonly from: string | null;
      readonly to: string | null;
    }
  /** Of a call of ours: a person, a machine or a fax answered, or nobody spoke; after so much of the line's sound. */
  | {
      readonly type: 'call.answered_by';
      readonly call: string;
      readonly by: 'human' | 'machine' | 'nobody' | 'fax';
      readonly afterMs: number;
    }
  /** The machine that answered records now, and the agent speaks. */
  | { readonly type: 'call.recording'; readonly call: string; readonly afterMs: number }
  /** A fax machine called; the call is ended. */
  | { readonly type: 'call.fax'; readonly call: string }
  /** Keys were entered; null: they are secret. */
  | {
      readonly type: 'call.digits';
      readonly call: string;
      readonly count: number;
      readonly digits: string | null;
    }
  /** The agent went to another party with its conversation. */
  | { readonly type: 'call.moved'; readonly call: string; readonly to: string }
  /** Somebody is asked to take the call over, in a call of its own; the caller waits. */
  | { readonly type: 'call.transferring'; readonly call: string; readonly to: string }
  /** Caller and other party talk: by a call of their own, or through this server. */
  | {
      readonly type: 'call.transferred';
      readonly call: string;
      readonly to: string;
      readonly by: 'refer' | 'bridge';
    }
  /** The caller is back with the agent, or gone. */
  | {
      readonly type: 'call.transfer_failed';
      readonly call: string;
      readonly to: string;
      readonly reason: string;
    }
  | {
      readonly type: 'call.ended';
      readonly call: string;
      readonly reason: string;
      readonly durationMs: number;
    };

export interface CallEvents {
  /** Never throws, never waits. */
  tell(event: CallEvent): void;
}

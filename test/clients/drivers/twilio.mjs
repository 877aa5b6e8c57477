/** `@openai/agents-extensions`: a call of Twilio's, by its Media Streams messages; marks come back as they are played. */
import { EventEmitter } from 'node:events';
import { RealtimeAgent, RealtimeSession } from '@openai/agents/realtime';
import { TwilioRealtimeTransportLayer } from '@openai/agents-extensions';
import { drive, fault, key, step, until, wsUrl } from './say.mjs';

class Call extends EventEmitter {
  marks = 0;
  media = 0;
  cleared = 0;
  addEventListener(type, listener) {
    this.on(type, listener);
  }
  receive(message) {
    this.emit('message', { data: JSON.stringify(message) });
  }
  send(text) {
    const message = JSON.parse(text);
    if (message.event === 'media') this.media++;
    if (message.event === 'clear') this.cleared++;
    if (message.event === 'mark') {
      this.marks++;
      // Only its beginning was played when the caller speaks again.
      if (this.marks === 1) setTimeout(() => this.receive({ event: 'mark', mark: message.mark }), 10);
    }
    this.emit('sent', message);
  }
  close() {}
}

await drive(async () => {
  const call = new Call();
  const transport = new TwilioRealtimeTransportLayer({
    twilioWebSocket: call,
    url: `${wsUrl}/v1/realtime?model=any`,
  });
  const session = new RealtimeSession(new RealtimeAgent({ name: 'Guide', instructions: 'Be brief.' }), {
    transport,
    // As in the SDK's own example. Without an `audio` of its own the session asks for 24 kHz PCM, which Twilio cannot play.
    config: { audio: { output: { voice: 'verse' } } },
  });
  session.on('error', fault);
  const next = (type, wanted = () => true) =>
    until(
      done => session.on('transport_event', event => event.type === type && wanted(event) && done(event)),
      type,
    );
  const updated = next('session.updated', event => event.session.audio.input.format.type === 'audio/pcmu');
  await session.connect({ apiKey: key });
  await updated;
  step('opened');
  const mediaFormat = { encoding: 'audio/x-mulaw', sampleRate: 8000, channels: 1 };
  call.receive({ event: 'start', start: { streamSid: 'MZ1', mediaFormat } });
  let at = 0;
  const say = (ms, isLoud) => {
    for (let n = 0; n < ms; n += 20, at += 20) {
      const payload = Buffer.alloc(160).map((_, i) => (!isLoud ? 0xff : i % 16 < 8 ? 0x00 : 0x80));
      call.receive({ event: 'media', media: { payload: payload.toString('base64'), timestamp: String(at) } });
    }
  };
  const sound = next('response.output_audio.delta');
  say(1200, true);
  say(1200, false);
  await sound;
  step('spoken');
  // What the caller has heard is known here alone: the server's own estimate is corrected by it.
  let heardMs = -1;
  const send = transport.sendEvent.bind(transport);
  transport.sendEvent = event => {
    if (event.type === 'conversation.item.truncate') heardMs = event.audio_end_ms;
    send(event);
  };
  const truncated = next('conversation.item.truncated', event => event.audio_end_ms === heardMs);
  say(800, true);
  await truncated;
  if (call.media > 0 && call.marks > 0 && call.cleared > 0) step('truncated');
  session.close();
});

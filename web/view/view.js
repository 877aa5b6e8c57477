import { countdown, describe } from '../talk/status.js';
import { Announcer } from './announcer.js';
import { CaptionList } from './caption-list.js';
import { element, setText } from './elements.js';
import { keepFocus } from './focus.js';
import { Notices } from './notices.js';

const COUNT_EVERY_MS = 250;
/** What is read out when the conversation comes to this. */
const TOLD = { live: 'Connected. You can talk.', reconnecting: 'Connection lost. Trying again.' };

/** What the button says by what the microphone is. */
const MUTE = { off: 'Mic off', muted: 'Muted', on: 'Mute' };

/** Everything the page shows of a conversation. */
export class View {
  /**
   * @param {{ onReplay: (turnId: string) => void, onEvent: (entry: import('../talk/event-log.js').Entry) => void }}
   * wanted
   */
  constructor({ onReplay, onEvent }) {
    this.captions = new CaptionList(element('conversation'), onReplay);
    this.notices = new Notices(element('notices'));
    this.announcer = new Announcer(element('announcer'));
    this.eventChanged = onEvent;
    /** @type {import('../talk/status.js').Status | null} */
    this.status = null;
    /** When the next try comes, by the page's clock. */
    this.retryAtMs = 0;
    this.counting = 0;
  }

  /** @param {import('../talk/status.js').Status} status */
  show(status) {
    if (JSON.stringify(status) === JSON.stringify(this.status)) return;
    const before = this.status;
    this.status = status;
    keepFocus(() => this.draw(status, describe(status)));
    if (before && before.phase !== status.phase) this.entered(status);
    if (status.retry !== before?.retry) this.count(status.retry);
  }

  draw(status, { title, hint, look }) {
    const { phase, mode, asking, microphone, sounding } = status;
    const { dataset } = document.body;
    Object.assign(dataset, { phase, state: look, mode, microphone });
    setText(element('state'), title);
    setText(element('hint'), hint);
    const running = phase !== 'ready' && phase !== 'ended';
    element('start').hidden = running && phase !== 'connecting';
    element('start').setAttribute('aria-disabled', String(phase === 'connecting'));
    element('start').textContent =
      phase === 'connecting' ? 'Connecting…' : phase === 'ended' ? 'Start again' : 'Start';
    element('talk').hidden = phase !== 'live' || mode !== 'hold' || microphone === 'off';
    element('talk').classList.toggle('held', status.holding);
    element('tools').hidden = !running;
    element('mute').hidden = mode === 'hold' && microphone !== 'off';
    // While the browser asks for it the microphone is not off, but on its way.
    const opens = phase === 'connecting' && asking && microphone === 'off';
    element('mute').disabled = opens;
    press('mute', microphone !== 'on' && !opens);
    setText(element('mute').lastElementChild, opens ? 'Mute' : MUTE[microphone]);
    element('stop').hidden = !sounding;
    element('send').hidden = sounding;
    element('try-now').hidden = phase !== 'reconnecting';
    if (running) return;
    this.userLevel(0);
    this.agentLevel(0);
  }

  entered({ phase, lost, microphone }) {
    if (phase === 'live' && microphone === 'off') this.announcer.say('Connected. You can write.');
    else if (phase in TOLD) this.announcer.say(TOLD[phase]);
    else if (phase === 'ended' && !lost) this.announcer.say('Conversation ended.');
  }

  /** @param {import('../wire/connection.js').Retry | null} retry */
  count(retry) {
    clearInterval(this.counting);
    if (!retry) return;
    this.retryAtMs = performance.now() + retry.waitMs;
    const tell = () => {
      const leftMs = retry.waitMs > 0 ? Math.max(1, this.retryAtMs - performance.now()) : 0;
      setText(element('hint'), `${countdown(retry, leftMs)}. A new conversation will begin.`);
    };
    tell();
    this.counting = setInterval(tell, COUNT_EVERY_MS);
  }

  /**
   * @param {import('../talk/problem.js').Problem} problem @param {{ useKey: (key: string) => void, type: () => void }}
   * remedies
   */
  problem(problem, { useKey, type }) {
    if (problem.needsKey) this.notices.askForKey(problem, useKey);
    else if (problem.canType && this.status?.phase !== 'live')
      this.notices.offer(problem, 'Write instead', type);
    else this.notices.show(problem);
  }

  model(name) {
    setText(element('model'), name ?? '');
  }

  /** @param {number} level RMS of the microphone in [0, 1] */
  userLevel(level) {
    showLevel('--user-level', level * 5);
  }

  /** @param {number} level peak of the loudspeaker in [0, 1] */
  agentLevel(level) {
    showLevel('--agent-level', level);
  }
}

export function press(id, pressed) {
  element(id).setAttribute('aria-pressed', String(pressed));
}

function showLevel(property, level) {
  document.body.style.setProperty(property, Math.min(1, level).toFixed(3));
}

/** Wires calls.html: the list is asked for every two seconds, one call is watched over a line of its own. */
import { element, make, setText } from '../view/elements.js';
import { CallList, lasted, nameOf } from './call-list.js';
import { Captions } from './captions.js';
import { Watched } from './watched.js';

const KEY_NAME = 'longcat-key';
const ASK_EVERY_MS = 2000;
const STATES = {
  idle: 'Nobody speaks',
  userSpeaking: 'The caller speaks',
  maybeDone: 'The caller may be done',
  speculating: 'The agent gets an answer ready',
  agentSpeaking: 'The agent speaks',
  working: 'The agent works',
  ducked: 'Both speak',
  interrupted: 'The caller has interrupted',
};

let key = sessionStorage.getItem(KEY_NAME) ?? '';
/** @type {import('./call-list.js').Call[]} */
let calls = [];
/** @type {Watched | null} */
let watched = null;
/** @type {import('./call-list.js').Call | null} */
let watchedCall = null;
let state = '';

const list = new CallList(element('calls'), watch);
const captions = new Captions(element('conversation'));

function draw() {
  const nowS = Date.now() / 1000;
  list.draw(calls, watched?.id ?? null, nowS);
  element('none').hidden = calls.length > 0;
  element('watched').hidden = watchedCall === null;
  if (!watchedCall) return;
  const call = calls.find(({ id }) => id === watchedCall?.id);
  if (call) watchedCall = call;
  setText(element('watched-name'), nameOf(watchedCall));
  if (watched)
    setText(element('watched-state'), `${state || 'On the line'}, ${lasted(nowS - watchedCall.started_at)}`);
  element('sound').hidden = watched === null;
  element('sound').setAttribute('aria-pressed', String(watched?.isHeard ?? false));
}

/** @param {import('./call-list.js').Call} call */
function watch(call) {
  watched?.leave();
  captions.clear();
  state = '';
  watchedCall = call;
  watched = new Watched(call.id, key, {
    onEvent: event => {
      if (event.type === 'state') {
        state = STATES[event.state] ?? '';
        draw();
      } else captions.take(event);
    },
    onLevel: level => {
      element('sound').dataset.level = level > 0.01 ? 'sounds' : 'silent';
    },
    onOver: reason => {
      watched = null;
      setText(element('watched-state'), `Over: ${reason || 'the line is gone'}.`);
      draw();
    },
  });
  draw();
}

element('sound').onclick = () => {
  if (watched?.isHeard) watched.hush();
  else watched?.listen().catch(() => notice('This browser plays no sound here.'));
  draw();
};
element('leave').onclick = () => {
  watched?.leave();
  watched = null;
  watchedCall = null;
  captions.clear();
  draw();
};

/** @param {string} text @param {boolean} [asksKey] */
function notice(text, asksKey = false) {
  const notices = element('notices');
  if (text === '') return void notices.replaceChildren();
  if (notices.dataset.text === text && notices.childElementCount > 0) return;
  notices.dataset.text = text;
  const node = make('div', 'notice');
  node.append(make('p', '', text));
  if (asksKey) node.append(keyForm());
  notices.replaceChildren(node);
}

function keyForm() {
  const form = make('form');
  const input = form.appendChild(make('input'));
  input.type = 'password';
  input.autocomplete = 'off';
  input.ariaLabel = 'API key';
  form.append(make('button', '', 'Use it'));
  form.onsubmit = event => {
    event.preventDefault();
    key = input.value.trim();
    sessionStorage.setItem(KEY_NAME, key);
    void ask();
  };
  return form;
}

async function ask() {
  const headers = new Headers(key ? { authorization: `Bearer ${key}` } : {});
  const answer = await fetch('/calls', { headers }).catch(() => null);
  if (answer?.ok) {
    calls = (await answer.json()).calls;
    notice('');
  } else if (answer?.status === 401)
    notice('This server wants an API key. Enter one of those it was started with.', true);
  else if (answer?.status === 404)
    notice('This server answers no telephone: start it with --sip or --phone.');
  else notice('The server does not answer.');
  draw();
}

async function goOn() {
  await ask();
  setTimeout(goOn, ASK_EVERY_MS);
}
void goOn();

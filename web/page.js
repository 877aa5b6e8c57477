/** Wires the buttons of index.html to one conversation. */
import { Camera } from './camera.js';
import { Conversation } from './conversation.js';
import { element, View } from './view.js';

const view = new View();
const conversation = new Conversation(view);
const camera = new Camera(
  element('preview'),
  image => conversation.showPicture(image),
  () => setCamera(false),
);

element('start').onclick = () => conversation.start();
element('end').onclick = () => {
  setCamera(false);
  setMuted(false);
  conversation.stop();
};
element('mute').onclick = () => setMuted(!isPressed('mute'));
element('camera').onclick = () => setCamera(!camera.running);
element('modes').onchange = ({ target }) => {
  document.body.dataset.mode = target.value;
  conversation.setMode(target.value);
  view.captions.follow(); // The dock may have grown.
};

const talk = element('talk');
talk.onpointerdown = event => {
  talk.setPointerCapture(event.pointerId);
  hold(true);
};
talk.onpointerup = () => hold(false);
talk.onpointercancel = () => hold(false);
talk.oncontextmenu = event => event.preventDefault();
addEventListener('blur', () => hold(false));
addEventListener('keydown', event => onSpace(event, true));
addEventListener('keyup', event => onSpace(event, false));

/** The space bar talks, wherever the focus is, but must not also press the focused button. */
function onSpace(event, down) {
  if (event.code !== 'Space' || conversation.mode !== 'hold' || document.body.dataset.phase !== 'live')
    return;
  if (event.target instanceof HTMLInputElement && event.target.type === 'password') return;
  event.preventDefault();
  if (!event.repeat) hold(down);
}

function hold(down) {
  talk.classList.toggle('held', down && !talk.disabled);
  if (down) conversation.press();
  else conversation.release();
}

function setMuted(muted) {
  conversation.setMuted(muted);
  press('mute', muted);
}

async function setCamera(on) {
  if (on === camera.running) return;
  if (!on) camera.stop();
  else await camera.start().catch(problem => view.notices.show(problem));
  press('camera', camera.running);
}

function isPressed(id) {
  return element(id).getAttribute('aria-pressed') === 'true';
}

function press(id, pressed) {
  element(id).setAttribute('aria-pressed', String(pressed));
}

/** Wires index.html to one conversation. */
import { CAMERA, SCREEN, screenCanBeShared } from './media/picture-sources.js';
import { PictureStream } from './media/picture-stream.js';
import { Conversation } from './talk/conversation.js';
import { element } from './view/elements.js';
import { EventList } from './view/event-list.js';
import { showExamples } from './view/examples.js';
import { Figures } from './view/figures.js';
import { Files } from './view/files.js';
import { bindHolding } from './view/holding.js';
import { Panel } from './view/panel.js';
import { SettingsForm } from './view/settings-form.js';
import { press, View } from './view/view.js';
import { webRtcIsOffered } from './wire/line.js';

class PageView extends View {
  /** Neither camera nor screen is left on when nobody looks. */
  show(status) {
    super.show(status);
    for (const name of SHOWN) {
      if (status.phase === 'ended') setShown(name, false);
      element(name).disabled = status.phase === 'connecting';
    }
  }

  model(name) {
    super.model(name);
    showExamples(name ?? '', text => conversation.commands.write(text));
  }
}

const SHOWN = /** @type {const} */ (['camera', 'screen']);

/** @param {'camera' | 'screen'} name @param {import('./media/picture-sources.js').PictureSource} source */
const pictureStream = (name, source) =>
  new PictureStream(
    source,
    element(`${name}-preview`),
    image => conversation.commands.showPicture(image),
    track => conversation.show(name, track),
    () => setShown(name, false),
  );
const streams = { camera: pictureStream('camera', CAMERA), screen: pictureStream('screen', SCREEN) };
const view = new PageView({
  onReplay: turnId => conversation.commands.replay(turnId),
  onEvent: entry => eventList.changed(entry),
});
const conversation = new Conversation(view);
const { commands, settings, statistics, log } = conversation;

const panel = new Panel({
  'settings-part': () => settingsForm.draw(),
  'figures-part': () => figures.draw(),
  'events-part': () => eventList.draw(),
  'files-part': () => files.draw(),
});
const settingsForm = new SettingsForm(settings, changes => commands.set(changes));
const figures = new Figures(statistics, conversation.nowMs, () => panel.sees('figures-part'));
const eventList = new EventList(log, () => panel.sees('events-part'));
const files = new Files(conversation);

element('start').onclick = () => conversation.start();
element('end').onclick = () => conversation.stop();
element('try-now').onclick = () => conversation.connection.tryNow();
element('mute').onclick = () => commands.toggleMicrophone();
for (const name of SHOWN) element(name).onclick = () => setShown(name, !streams[name].on);
element('screen').hidden = !screenCanBeShared();
element('stop').onclick = () => commands.interrupt();
element('modes').querySelector(`[value=${settings.mode}]`).checked = true;
element('modes').onchange = ({ target }) => {
  commands.set({ mode: target.value });
  view.captions.follow(); // The dock may have grown.
};
element('composer').onsubmit = event => {
  event.preventDefault();
  const text = element('text').value.trim();
  if (text !== '' && commands.write(text)) element('text').value = '';
};
bindHolding(conversation);

/** @param {'camera' | 'screen'} name @param {boolean} on */
async function setShown(name, on) {
  const stream = streams[name];
  if (on === stream.on) return;
  if (on) await stream.start().catch(problem => view.notices.show(problem));
  else stream.stop();
  press(name, stream.on);
  // It was switched on while the conversation ended.
  if (stream.on && !conversation.running) setShown(name, false);
}

/** The name, and what the server offers, before there is a session to tell it. */
fetch('/healthz')
  .then(answer => answer.json())
  .then(
    ({ model, phone_calls: phoneCalls, webrtc }) => {
      view.model(model);
      element('phone-calls').hidden = typeof phoneCalls !== 'number';
      webRtcIsOffered(webrtc === true);
    },
    () => view.model(''),
  );

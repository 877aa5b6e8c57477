import { canChooseLoudspeaker, listDevices } from '../media/devices.js';
import { element, make } from './elements.js';

/** Without another letter for so long, what is written counts. */
const WRITTEN_MS = 700;

/** The settings as a form; each change counts at once. */
export class SettingsForm {
  /** @param {import('../talk/settings.js').Settings} settings @param {(changes: object) => void} onChange */
  constructor(settings, onChange) {
    this.settings = settings;
    this.onChange = onChange;
    this.bind('turn-preset', 'turnPreset');
    this.bind('instructions', 'instructions');
    this.bind('microphone', 'microphoneId');
    this.bind('loudspeaker', 'loudspeakerId');
    this.bind('line', 'line');
    this.bind('protocol', 'protocol');
    navigator.mediaDevices?.addEventListener('devicechange', () => this.draw());
  }

  bind(id, name) {
    const field = element(id);
    field.value = this.settings[name];
    let timer = 0;
    const tell = () => {
      clearTimeout(timer);
      if (field.value !== this.settings[name]) this.onChange({ [name]: field.value });
    };
    field.onchange = tell;
    // Whoever writes and then talks at once has not left the field.
    field.oninput = () => {
      clearTimeout(timer);
      timer = setTimeout(tell, WRITTEN_MS);
    };
  }

  async draw() {
    const { microphones, loudspeakers, named } = await listDevices();
    fill(element('microphone'), microphones, this.settings.microphoneId);
    fill(element('loudspeaker'), loudspeakers, this.settings.loudspeakerId);
    element('loudspeaker').disabled = !canChooseLoudspeaker();
    element('loudspeaker-hint').hidden = canChooseLoudspeaker();
    element('devices-hint').hidden = named;
  }
}

function fill(field, devices, chosen) {
  const options = [{ id: '', name: 'The system’s own choice' }, ...devices].map(({ id, name }) => {
    const option = make('option', '', name);
    option.value = id;
    return option;
  });
  field.replaceChildren(...options);
  field.value = devices.some(({ id }) => id === chosen) ? chosen : '';
}

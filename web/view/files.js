import { SAMPLE_RATE_HZ } from '../media/pcm16.js';
import { wavFile } from '../media/wav.js';
import { duration } from '../talk/statistics.js';
import { transcriptJson, transcriptText } from '../talk/transcript.js';
import { download, element } from './elements.js';

/** What can be kept of a conversation as a file. */
export class Files {
  /** @param {import('../talk/conversation.js').Conversation} conversation */
  constructor(conversation) {
    this.conversation = conversation;
    element('save-text').onclick = () => this.save('txt', 'text/plain', this.told(transcriptText));
    element('save-json').onclick = () => this.save('json', 'application/json', this.told(transcriptJson));
    element('save-sound').onclick = () => this.saveSound();
    element('save-events').onclick = () => this.save('jsonl', 'application/jsonl', conversation.log.text());
  }

  draw() {
    const { turns, recording, log } = this.conversation;
    const sound = recording.frames.length > 0 || recording.heard.length > 0;
    element('save-text').disabled = turns.all.size === 0;
    element('save-json').disabled = turns.all.size === 0;
    element('save-sound').disabled = !sound;
    element('save-events').disabled = log.entries.length === 0;
    element('saved').textContent = '';
  }

  told(write) {
    return write(this.conversation.turns.all.values(), element('model').textContent ?? '');
  }

  saveSound() {
    const sides = this.conversation.recording.stereo();
    const length = duration((sides[0].length * 1000) / SAMPLE_RATE_HZ);
    this.save('wav', 'audio/wav', wavFile(sides, SAMPLE_RATE_HZ), ` (${length}; you left, the agent right)`);
  }

  /** @param {string} ending @param {string} type @param {BlobPart} content @param {string} [told] */
  save(ending, type, content, told = '') {
    const name = `conversation-${new Date().toISOString().slice(0, 19).replace(/\D/g, '-')}.${ending}`;
    download(name, content, type);
    element('saved').textContent = `Saved ${name}${told}.`;
  }
}

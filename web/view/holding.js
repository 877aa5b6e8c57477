import { element } from './elements.js';

/** The talk button, the space bar, and Escape. @param {import('../talk/conversation.js').Conversation} conversation */
export function bindHolding({ commands, settings, input }) {
  const talk = element('talk');
  talk.onpointerdown = event => {
    talk.setPointerCapture(event.pointerId);
    commands.press();
  };
  talk.onpointerup = () => commands.release();
  talk.onpointercancel = () => commands.release();
  talk.oncontextmenu = event => event.preventDefault();
  addEventListener('blur', () => commands.release());
  addEventListener('keydown', event => {
    if (isTalkKey(event)) {
      event.preventDefault();
      if (!event.repeat) commands.press();
    } else if (event.code === 'Escape' && !event.defaultPrevented) commands.interrupt();
  });
  addEventListener('keyup', event => {
    if (event.code === 'Space' && input.holding) {
      event.preventDefault();
      commands.release();
    }
  });

  /** The space bar talks, wherever the focus is but where one writes, and must not also press the focused button. */
  function isTalkKey({ code, target }) {
    return code === 'Space' && settings.mode === 'hold' && !talk.hidden && !writes(target);
  }
}

function writes(target) {
  return target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement || isTextField(target);
}

function isTextField(target) {
  return target instanceof HTMLInputElement && target.type !== 'radio';
}

import { element, make } from './elements.js';

/** What the shipped model was taught; another one is asked what anybody might ask. */
const EXAMPLES = {
  nano: [
    'What is three plus four?',
    'Count to twenty.',
    'Which is bigger, seven or nine?',
    'What comes after Monday?',
    'My name is Lucy.',
    'What is my name?',
    'Where did you stop?',
    'What do you see?',
  ],
  other: ['What can you do?', 'Count to twenty.', 'Tell me a short story.', 'What do you see?'],
};
const ABOUT = {
  nano: 'nano knows a small world: numbers, days, months, coloured shapes, and what was said before.',
  other: '',
};

/** Things to ask, each a button that asks it in writing. @param {string} model @param {(text: string) => void} onAsk */
export function showExamples(model, onAsk) {
  const known = model === 'nano' ? 'nano' : 'other';
  element('examples-about').textContent = ABOUT[known];
  element('examples').replaceChildren(
    ...EXAMPLES[known].map(text => {
      const item = make('li');
      const button = item.appendChild(make('button', 'example', text));
      button.type = 'button';
      button.onclick = () => onAsk(text);
      return item;
    }),
  );
}

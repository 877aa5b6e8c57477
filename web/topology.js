/** Who serves what, asked for anew every two seconds. */
const AGAIN_MS = 2000;
const KEY_NAME = 'longcat-key';

/** @type {Record<string, string>} */
const STATES = {
  ready: 'serves',
  starting: 'is being started',
  down: 'does not serve',
  absent: 'the model has none',
};

const element = id => /** @type {HTMLElement} */ (document.getElementById(id));

function line(tag, text) {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}

/** @param {{ host: string, streams: number, isLeaving: boolean }} host */
function hostText({ host, streams, isLeaving }) {
  const ours = `${streams} ${streams === 1 ? 'stream' : 'streams'} of this server`;
  return `${host}: ${ours}${isLeaving ? ', takes no new ones' : ''}`;
}

function card({ component, state, by, at, hosts }) {
  const made = document.createElement('li');
  made.dataset.state = state;
  const where = by === undefined ? '' : at === undefined ? `, here by ${by}` : `, by ${at}`;
  made.append(line('h2', component.replaceAll('-', ' ')), line('p', `${STATES[state] ?? state}${where}`));
  if (hosts.length > 0) {
    const list = document.createElement('ul');
    list.append(...hosts.map(host => line('li', hostText(host))));
    made.append(list);
  }
  return made;
}

async function show() {
  const key = sessionStorage.getItem(KEY_NAME);
  const headers = { accept: 'application/json', ...(key && { authorization: `Bearer ${key}` }) };
  const answer = await fetch('/topology', { headers }).catch(() => null);
  element('key-form').hidden = answer?.status !== 401;
  if (answer?.status === 401) {
    element('summary').textContent = 'This server wants an API key.';
    return;
  }
  const told = answer?.ok ? await answer.json() : null;
  element('summary').textContent = told
    ? `${told.model}, ${told.sessions.open} of ${told.sessions.most} sessions open`
    : 'The server does not answer.';
  if (told) element('components').replaceChildren(...told.components.map(card));
}

element('key-form').addEventListener('submit', event => {
  event.preventDefault();
  sessionStorage.setItem(KEY_NAME, /** @type {HTMLInputElement} */ (element('key')).value);
  void show();
});

async function goOn() {
  await show();
  setTimeout(goOn, AGAIN_MS);
}
void goOn();

'use strict';

const ROOMS = ['lobby', 'ruby', 'tea'];
const KEPT = 500; // lines on the page
const SILENCE = 35_000; // ms; the server says something every 10 s
const $ = (id) => document.getElementById(id);

// Whatever others typed becomes text, never HTML.
function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

const store = { // browsers may refuse to keep anything
  get(name) { try { return localStorage.getItem(`chat:${name}`); } catch { return null; } },
  set(name, value) { try { localStorage.setItem(`chat:${name}`, value); } catch { /* then it is asked for again */ } },
};
const unique = () => Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, '0')).join('');

const me = { user: store.get('user') || unique(), name: store.get('name') };
store.set('user', me.user);
let room = 'lobby';

// ---- The connection: a WebSocket, or an event stream with POSTs where WebSockets don't get through.

const transports = {
  websocket(url, { heard, lost }) {
    const socket = new WebSocket(Object.assign(url, { protocol: url.protocol.replace('http', 'ws') }));
    socket.onmessage = (event) => heard(event.data);
    socket.onclose = lost;
    return { say: (line) => socket.send(JSON.stringify(line)), close: () => socket.close() };
  },
  stream(url, { heard, lost, waiting }) {
    const source = new EventSource(url);
    source.onmessage = (event) => heard(event.data);
    source.onerror = () => (source.readyState === EventSource.CLOSED ? lost() : waiting()); // it tries again by itself
    const say = async (line) => {
      const answer = await fetch('say', { method: 'POST', body: JSON.stringify({ ...line, room, ...me }) });
      if (!answer.ok) throw new Error(answer.statusText);
    };
    return { say, close: () => source.close() };
  },
};

const link = {
  transport: null, current: null, timer: null, failures: 0, heardAt: 0, live: false, early: null,
  worked: false, // a WebSocket has worked here
  blocked: 0, // so many WebSockets have failed since, while plain HTTP worked
  forced: new URLSearchParams(location.search).get('transport'), // ?transport=stream

  open() {
    this.drop();
    this.kind = this.forced || (this.blocked > (this.worked ? 1 : 0) ? 'stream' : 'websocket');
    this.early = []; // what comes before the welcome is newer than it
    this.heardAt = Date.now();
    const url = new URL('live', document.baseURI);
    url.search = new URLSearchParams({ room, ...me });
    const mine = (reaction) => (...given) => { if (this.current === current) reaction(...given); };
    const current = this.current = {};
    show('connecting');
    this.transport = transports[this.kind](url, {
      heard: mine((json) => this.heard(JSON.parse(json))),
      lost: mine(() => this.lost()),
      waiting: mine(() => { // the browser may try once
        if (!this.live) return this.lost();
        this.live = false;
        this.early = [];
        show('waiting');
      }),
    });
  },

  heard(message) {
    this.heardAt = Date.now();
    if (message.type === 'welcome') {
      const early = this.early;
      Object.assign(this, { early: null, live: true, failures: 0, blocked: 0 });
      this.worked ||= this.kind === 'websocket';
      show('live');
      hear(message);
      early.forEach(hear);
      flush();
    } else if (this.early) this.early.push(message);
    else hear(message);
  },

  // Half a second, one, two … half a minute; each page a little different, so that they don't come all at once.
  lost() {
    if (this.kind === 'websocket' && !this.live) this.probe();
    this.drop();
    const delay = Math.min(30_000, 500 * 2 ** this.failures) * (0.5 + Math.random() / 2);
    this.failures += 1;
    this.timer = setTimeout(() => this.open(), delay);
    show('waiting', Date.now() + delay);
  },

  // Is it the server that is away, or do only WebSockets not get through?
  async probe() {
    try {
      if ((await fetch('', { method: 'HEAD', cache: 'no-store' })).ok) this.blocked += 1;
    } catch { /* it is the server */ }
  },

  drop() {
    clearTimeout(this.timer);
    this.live = false;
    this.current = null;
    this.transport?.close();
    this.transport = null;
  },

  // Nothing was heard for too long, or the network is back: don't wait.
  check() {
    if (me.name && (!this.transport || Date.now() - this.heardAt > SILENCE)) this.open();
  },
};

setInterval(() => { if (link.transport && Date.now() - link.heardAt > SILENCE) link.lost(); }, 5_000);
addEventListener('online', () => link.check());
addEventListener('pagehide', () => link.drop()); // browsers keep pages that were left, for the way back
addEventListener('pageshow', () => link.check());
document.addEventListener('visibilitychange', () => { if (!document.hidden) { link.check(); title(); } });
$('state').onclick = () => link.check();

let countdown;
function show(state, until) {
  clearInterval(countdown);
  const words = () => ({
    connecting: 'Connecting…',
    live: link.kind === 'websocket' ? 'Live' : 'Live (event stream)',
    waiting: until ? `Offline · again in ${Math.max(1, Math.ceil((until - Date.now()) / 1000))} s` : 'Offline · trying again',
  }[state]);
  const write = () => { $('state').lastChild.textContent = words(); };
  if (until) countdown = setInterval(write, 1_000);
  $('state').dataset.state = state;
  $('state').dataset.transport = link.kind;
  $('state').title = state === 'waiting' ? 'Try now' : '';
  write();
}

// ---- What is heard

const people = new Map(); // a connection's id => who it is
const pending = new Map(); // lines that have not come back yet: they are sent again after a break
let unread = 0;

function hear(message) {
  switch (message.type) {
    case 'welcome':
      people.clear();
      message.people.forEach((person) => people.set(person.id, person));
      message.lines.forEach((line) => add(line));
      return roster(true);
    case 'join':
      people.set(message.id, message);
      return roster();
    case 'leave':
      people.delete(message.id);
      return roster();
    case 'line':
      return add(message);
  }
}

// ---- Lines

const hue = (text) => [...text].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 360, 7);
const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });

function avatar({ user, name }) {
  const made = element('span', { className: 'avatar', ariaHidden: true }, [...name][0] || '?');
  made.style.setProperty('--hue', hue(user + name));
  return made;
}

function add(line, waits = false) {
  const known = document.getElementById(`line-${line.id}`);
  if (known && !known.classList.contains('pending')) return;
  known?.remove();
  if (!waits) pending.delete(line.id);

  const by = element('div', { className: 'by' }, element('bdi', {}, line.name), element('time', {}, clock.format(line.at)));
  by.style.setProperty('--hue', hue(line.user + line.name));
  const item = element('li', { id: `line-${line.id}`, className: 'line' }, avatar(line), by, element('p', {}, line.text));
  Object.assign(item.dataset, { at: waits ? Infinity : line.at, by: `${line.user} ${line.name}` });
  item.classList.toggle('mine', line.user === me.user);
  item.classList.toggle('pending', waits);
  item.classList.toggle('fresh', link.live && !known);
  item.classList.toggle('emoji', /^(\p{Extended_Pictographic}[\p{M}\u200d]*){1,3}$/u.test(line.text));
  insert(item);
  if (link.live && line.user !== me.user && document.hidden) title(unread + 1);
}

function notice(name, words) {
  const item = element('li', { className: 'notice' }, element('bdi', {}, name), ` ${words}`);
  item.dataset.at = Math.max(0, ...[...$('lines').children].map((other) => +other.dataset.at).filter(Number.isFinite));
  insert(item);
}

// By time; the newest is last.
function insert(item) {
  const lines = $('lines');
  const atEnd = $('scroll').scrollHeight - $('scroll').scrollTop - $('scroll').clientHeight < 80;
  let before = lines.lastChild;
  while (before && +before.dataset.at > +item.dataset.at) before = before.previousSibling;
  lines.insertBefore(item, before ? before.nextSibling : lines.firstChild);
  if (lines.children.length > KEPT) lines.firstChild.remove();
  [item, item.nextSibling].forEach(group);
  if (atEnd || item.classList.contains('pending')) bottom();
  else if (item.classList.contains('line')) $('newer').hidden = false;
}

// Who goes on speaking isn't named again.
function group(item) {
  if (!item?.dataset.by) return;
  const last = item.previousSibling;
  const same = last?.dataset.by === item.dataset.by && !(item.dataset.at - last.dataset.at > 300_000);
  item.classList.toggle('first', !same);
}

function bottom() {
  $('scroll').scrollTop = $('scroll').scrollHeight;
  $('newer').hidden = true;
}
$('newer').onclick = bottom;
$('scroll').onscroll = ({ target }) => {
  if (target.scrollHeight - target.scrollTop - target.clientHeight < 80) $('newer').hidden = true;
};
addEventListener('resize', bottom);

function title(count = 0) {
  unread = count;
  document.title = `${count ? `(${count}) ` : ''}#${room} · iodine chat`;
}

// ---- Who is here, and which rooms there are

let here = new Map(); // user => name, in this room
const met = new Map(); // the same, of whom was told that they are here
const leaving = new Map(); // user => timer: who reloads or falls out of the network is soon back

function roster(welcome = false) {
  here = new Map();
  people.forEach((person) => { if (person.room === room && person.user !== me.user) here.set(person.user, person.name); });
  here.forEach((name, user) => {
    const before = met.get(user);
    met.set(user, name);
    clearTimeout(leaving.get(user));
    leaving.delete(user);
    if (before && before !== name) notice(before, `is now called ${name}.`);
    else if (!before && !welcome) notice(name, 'is here.');
  });
  met.forEach((name, user) => {
    if (!here.has(user) && !leaving.has(user)) leaving.set(user, setTimeout(() => { forget(user); notice(name, 'has left.'); }, 4_000));
  });
  draw();
}

function forget(user) {
  clearTimeout(leaving.get(user));
  leaving.delete(user);
  met.delete(user);
}

let drawing;
function draw() { // at most once a frame, however many come
  drawing ||= requestAnimationFrame(() => {
    drawing = null;
    const everybody = [[me.user, me.name || '…'], ...[...here].sort((a, b) => a[1].localeCompare(b[1]))];
    $('count').textContent = everybody.length === 1 ? 'Only you are here' : `${everybody.length} are here`;
    $('people').replaceChildren(...everybody.map(([user, name]) =>
      element('li', {}, avatar({ user, name }), element('bdi', {}, name), element('small', {}, user === me.user ? 'you' : ''))));
    $('me').replaceChildren(avatar({ user: me.user, name: me.name || '?' }), element('bdi', {}, me.name || 'Your name'));

    const counts = new Map([...ROOMS, room].map((name) => [name, new Set()]));
    people.forEach((person) => counts.set(person.room, (counts.get(person.room) || new Set()).add(person.user)));
    $('rooms').replaceChildren(...[...counts].map(([name, users]) => {
      const link = element('a', { href: `#${encodeURIComponent(name)}` }, element('bdi', {}, name), element('small', {}, users.size || ''));
      if (name === room) link.ariaCurrent = 'page';
      return element('li', {}, link);
    }));
  });
}

// ---- What one does

function flush() {
  pending.forEach((line) => { if (line.room === room && link.live) say(line); });
}

async function say(line) {
  try {
    await link.transport.say({ id: line.id, text: line.text });
  } catch {
    setTimeout(flush, 3_000);
  }
}

$('say').onsubmit = (event) => {
  event.preventDefault();
  const field = event.target.text;
  const text = field.value.trim();
  field.value = '';
  field.focus();
  if (!text) return;
  const line = { id: unique(), room, ...me, text, at: Date.now() };
  pending.set(line.id, line);
  add(line, true);
  if (link.live) say(line);
};
$('say').text.onkeydown = (event) => {
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  $('say').requestSubmit();
};

// The room is in the address: #ruby
function enter() {
  let name = location.hash.slice(1);
  try { name = decodeURIComponent(name); } catch { /* as it stands */ }
  room = name.toLowerCase().replace(/[^\p{L}\p{M}\p{N}]+/gu, '-').slice(0, 30) || 'lobby';
  $('room').textContent = room;
  $('lines').replaceChildren();
  $('newer').hidden = true;
  [...met.keys()].forEach(forget);
  here = new Map();
  pending.forEach((line) => { if (line.room === room) add(line, true); });
  menu(false);
  title();
  draw();
  if (me.name) link.open();
}
addEventListener('hashchange', enter);

$('new-room').onsubmit = (event) => {
  event.preventDefault();
  const name = event.target.room.value.trim();
  event.target.reset();
  if (name) location.hash = encodeURIComponent(name);
  menu(false);
};

function menu(open) {
  document.body.classList.toggle('open', open);
  $('menu').ariaExpanded = open;
}
$('menu').onclick = () => menu(true);
$('shade').onclick = () => menu(false);
addEventListener('keydown', (event) => { if (event.key === 'Escape') menu(false); });

function ask() {
  const field = $('hello').querySelector('input');
  field.value = me.name || '';
  $('hello').showModal();
  field.select();
}
$('me').onclick = ask;
$('hello').oncancel = (event) => { if (!me.name) event.preventDefault(); };
$('hello').querySelector('form').onsubmit = (event) => {
  const name = event.target.elements.name.value.trim();
  if (name === me.name) return;
  me.name = name;
  store.set('name', name);
  link.open();
  $('say').text.focus();
};

enter();
if (!me.name) ask();

// Asks how the conversation went: five stars, an optional word, once.
import type { Chat } from './chat';
import { h, icon } from './dom';
import type { Words } from './i18n';
import type { Message } from './protocol';

export function ratingCard(message: Message, chat: Chat, words: Words): HTMLElement {
  const given = chat.rating(message.conversation_id);
  const titles = words.say('scores').split('|');
  const done = given?.state === 'done';
  if (given) {
    const stars = titles.map((_, index) => h('span', { class: index < given.score ? 'star on' : 'star' }, icon('star')));
    const label = `${given.score} / 5, ${titles[given.score - 1] ?? ''}`;
    return h(
      'div',
      { class: `rating ${given.state}` },
      h('p', {}, words.say(done ? 'rated' : 'sending')),
      h('div', { class: 'stars', role: 'img', 'aria-label': label }, ...stars),
    );
  }
  let score = 0;
  const name = `score-${message.conversation_id}`;
  const verdict = h('output');
  const comment = h('textarea', {
    rows: 2,
    maxlength: 2000,
    placeholder: words.say('rateComment'),
    'aria-label': words.say('rateComment'),
  });
  const more = h('div', { class: 'more', hidden: true }, comment, h('button', { type: 'submit' }, words.say('rateSend')));
  const stars = titles.map((title, index) => {
    const input = h('input', { type: 'radio', name, value: index + 1, 'aria-label': `${index + 1} / 5, ${title}` });
    return h('label', { class: 'star', title }, input, icon('star'));
  });
  const choose = (event: Event): void => {
    score = Number((event.target as HTMLInputElement).value);
    stars.forEach((star, index) => star.classList.toggle('on', index < score));
    verdict.textContent = titles[score - 1] ?? '';
    more.hidden = false;
    more.scrollIntoView({ block: 'nearest' });
  };
  const group = h('div', { class: 'stars', role: 'radiogroup', 'aria-label': words.say('rateTitle'), change: choose }, ...stars);
  const submit = (event: Event): void => {
    event.preventDefault();
    if (score > 0) chat.rate(message.conversation_id, score, comment.value.trim());
  };
  return h('form', { class: 'rating', submit }, h('p', {}, message.text || words.say('rateTitle')), group, verdict, more);
}

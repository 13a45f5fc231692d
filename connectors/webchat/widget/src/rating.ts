// Asks how the conversation went: stars for who served last, for the one before as well, whether it was solved, a word.
import type { Chat } from './chat';
import { h, icon } from './dom';
import type { Words } from './i18n';
import type { AskedEpisode, Message, RatingAnswer } from './protocol';

/** How long what was sent can still be changed; the desk decides, this only hides the link in time. */
export const CHANGE_MS = 10 * 60_000;

export function ratingCard(message: Message, chat: Chat, words: Words): HTMLElement {
  const given = chat.rating(message.conversation_id);
  if (given === null || given.state === 'editing') return form(message, chat, words, given?.answer ?? null);
  const { answer, state } = given;
  if (state === 'closed') return h('div', { class: 'rating closed' }, h('p', {}, words.say('rateClosed')));
  const [last, other] = message.asks?.episodes ?? [];
  const changeable = state === 'done' && answer.at !== undefined && Date.now() - answer.at < CHANGE_MS;
  const declined = answer.score === null && answer.solved === null;
  const change = h('button', { type: 'button', class: 'quiet', click: () => chat.editRating(message.conversation_id) }, words.say('rateChange'));
  return h(
    'div',
    { class: `rating ${state}`, role: 'status' },
    h('p', {}, words.say(state === 'sending' ? 'sending' : declined ? 'neverThanks' : 'rated')),
    answer.score !== null && shown(answer.score, last, other !== undefined, words),
    answer.other_score != null && shown(answer.other_score, other, true, words),
    answer.solved !== null && h('span', { class: 'verdict' }, words.say(answer.solved ? 'rateSolved' : 'rateNotSolved')),
    changeable && !declined && change,
  );
}

function shown(score: number, episode: AskedEpisode | undefined, named: boolean, words: Words): HTMLElement {
  const titles = words.say('scores').split('|');
  const stars = titles.map((_, index) => h('span', { class: index < score ? 'star on' : 'star' }, icon('star')));
  const label = `${score} / 5, ${titles[score - 1] ?? ''}`;
  const row = h('div', { class: 'stars', role: 'img', 'aria-label': label }, ...stars);
  return named ? h('div', { class: 'told' }, h('small', {}, nameOf(episode, words)), row) : row;
}

function nameOf(episode: AskedEpisode | undefined, words: Words): string {
  return episode?.kind === 'bot' ? words.say('bot') : (episode?.agent_name ?? words.say('agent'));
}

function form(message: Message, chat: Chat, words: Words, before: RatingAnswer | null): HTMLElement {
  const id = message.conversation_id;
  const [last, other] = message.asks?.episodes ?? [];
  const asksNps = message.asks?.nps === true;
  const answer: RatingAnswer = before ? { ...before } : { score: null, solved: null, nps: null, other_score: null, comment: '' };
  const send = h('button', { type: 'submit', class: 'submit' }, words.say('rateSend'));
  const comment = h('textarea', { rows: 2, maxLength: 2000, placeholder: words.say('rateComment'), 'aria-label': words.say('rateComment') });
  comment.value = answer.comment;
  const solved = choice(`solved-${id}`, words.say('rateWasSolved'), [['yes', words.say('rateYes')], ['no', words.say('rateNo')]], 'pills', answer.solved === null ? '' : answer.solved ? 'yes' : 'no', (value) => {
    answer.solved = value === 'yes';
  });
  const nps = asksNps && choice(`nps-${id}`, words.say('rateNps'), Array.from({ length: 11 }, (_, n) => [String(n), String(n)] as const), 'pills nps', answer.nps === null ? '' : String(answer.nps), (value) => {
    answer.nps = Number(value);
  }, h('div', { class: 'ends', 'aria-hidden': 'true' }, h('span', {}, words.say('npsLow')), h('span', {}, words.say('npsHigh'))));
  const others = other && stars(`other-${id}`, other.kind === 'bot' ? words.say('rateAlsoBot') : words.say('rateAlso', nameOf(other, words)), true, answer.other_score, words, (score) => {
    answer.other_score = score;
  });
  const more = h('div', { class: 'more', hidden: answer.score === null }, solved, others ?? null, nps, comment, send);
  const main = stars(`score-${id}`, titleOf(last, other, words), false, answer.score, words, (score) => {
    answer.score = score;
    if (!more.hidden) return;
    more.hidden = false;
    more.scrollIntoView({ block: 'nearest' });
  });
  const submit = (event: Event): void => {
    event.preventDefault();
    if (answer.score !== null) chat.rate(id, { ...answer, comment: comment.value.trim() });
  };
  const never = before === null && h('button', { type: 'button', class: 'quiet', click: () => chat.neverAsk(id) }, words.say('rateNever'));
  return h('form', { class: 'rating', submit, 'aria-label': words.say('rateTitle') }, main, more, never);
}

function titleOf(last: AskedEpisode | undefined, other: AskedEpisode | undefined, words: Words): string {
  if (other === undefined || last === undefined) return words.say('rateTitle');
  return last.kind === 'bot' ? words.say('rateBot') : words.say('rateAgent', nameOf(last, words));
}

function stars(name: string, title: string, small: boolean, chosen: number | null, words: Words, picked: (score: number) => void): HTMLElement {
  const titles = words.say('scores').split('|');
  const verdict = h('output', {}, chosen === null ? '' : (titles[chosen - 1] ?? ''));
  const light = (score: number): void => labels.forEach((star, index) => star.classList.toggle('on', index < score));
  const labels = titles.map((text, index) => {
    const input = h('input', { type: 'radio', name, value: index + 1, checked: chosen === index + 1, 'aria-label': `${index + 1} / 5, ${text}` });
    return h('label', { class: 'star', title: text }, input, icon('star'));
  });
  light(chosen ?? 0);
  const change = (event: Event): void => {
    const score = Number((event.target as HTMLInputElement).value);
    light(score);
    verdict.textContent = titles[score - 1] ?? '';
    picked(score);
  };
  return h('fieldset', { class: small ? 'asked small' : 'asked', change }, h('legend', {}, title), h('div', { class: 'stars' }, ...labels), verdict);
}

function choice(name: string, title: string, options: (readonly [string, string])[], look: string, chosen: string, picked: (value: string) => void, under: HTMLElement | null = null): HTMLElement {
  const pills = options.map(([value, text]) => h('label', {}, h('input', { type: 'radio', name, value, checked: chosen === value }), h('span', {}, text)));
  const change = (event: Event): void => picked((event.target as HTMLInputElement).value);
  return h('fieldset', { class: 'asked', change }, h('legend', {}, title), h('div', { class: look }, ...pills), under);
}

// Asks a visitor who came out of hours how to reach them: a phone number or e-mail address, and when it suits them.
import type { Chat } from './chat';
import { h } from './dom';
import type { Words } from './i18n';

export function detailsForm(conversationId: string, chat: Chat, words: Words): HTMLElement {
  const { details } = chat;
  const problemId = 'details-problem';
  const point = h('input', {
    type: 'text',
    name: 'contact-point',
    required: true,
    maxLength: 300,
    autocomplete: 'email',
    autocapitalize: 'off',
    spellcheck: 'false',
    placeholder: words.say('detailsPointHint'),
    'aria-invalid': details.problem ? 'true' : null,
    'aria-describedby': details.problem ? problemId : null,
    input: () => {
      details.point = point.value;
    },
  });
  point.value = details.point;
  const time = h('input', {
    type: 'text',
    name: 'best-time',
    maxLength: 120,
    autocomplete: 'off',
    placeholder: words.say('detailsTimeHint'),
    input: () => {
      details.bestTime = time.value;
    },
  });
  time.value = details.bestTime;
  const submit = (event: Event): void => {
    event.preventDefault();
    const wrongBefore = details.problem;
    chat.sendDetails();
    // The same mistake again changes nothing on the page, so the field itself says where to go on.
    if (details.problem && wrongBefore) point.focus();
  };
  const form = h(
    'form',
    { class: 'details', submit, novalidate: true, 'aria-label': words.say('detailsTitle') },
    h('p', {}, words.say('detailsTitle')),
    h('label', {}, h('span', {}, words.say('detailsPoint')), point),
    details.problem && h('p', { class: 'wrong', id: problemId, role: 'alert' }, words.say('detailsWrong')),
    h('label', {}, h('span', {}, words.say('detailsTime')), time),
    h(
      'div',
      { class: 'ways' },
      h('button', { type: 'submit', class: 'submit' }, words.say('detailsSend')),
      h('button', { type: 'button', class: 'quiet', click: () => chat.declineDetails(conversationId) }, words.say('detailsNo')),
    ),
  );
  // Drawn anew because of a mistake: whoever made it goes on where it is.
  if (details.problem) {
    queueMicrotask(() => {
      point.focus();
      form.scrollIntoView({ block: 'nearest' });
    });
  }
  return form;
}

// Where the visitor writes: a field that grows, files, and sending that never cuts a word being typed in Chinese.
import type { Chat } from './chat';
import { h, icon } from './dom';
import { REFUSED, type Words } from './i18n';
import { composes } from './input_method';
import { type Attachment, MAX_TEXT } from './protocol';
import type { NotTaken } from './upload';

const MAX_BYTES = 10 * 1024 * 1024;
const MAX_FILES = 5;
const ACCEPTED = 'image/png,image/jpeg,image/gif,image/webp,.pdf,.txt,.csv,.docx,.xlsx,.zip,.mp3,.ogg,.mp4';

interface Upload {
  file: File;
  chip: HTMLElement;
  stored: Attachment | null;
}

export class Composer {
  readonly element: HTMLFormElement;
  private readonly field: HTMLTextAreaElement;
  private readonly tray: HTMLElement;
  private readonly hint: HTMLElement;
  private readonly picker: HTMLInputElement;
  private readonly attach: HTMLButtonElement;
  private readonly send: HTMLButtonElement;
  private uploads: Upload[] = [];
  private composing = false;

  constructor(
    private readonly chat: Chat,
    private readonly words: Words,
    private readonly sent: () => void,
    draft: { get(): string; set(text: string): void },
  ) {
    this.field = h('textarea', { rows: 1, maxlength: MAX_TEXT, enterkeyhint: 'send' });
    this.field.value = draft.get();
    this.tray = h('div', { class: 'tray', hidden: true });
    this.hint = h('p', { class: 'hint', role: 'alert', hidden: true });
    this.picker = h('input', { type: 'file', accept: ACCEPTED, multiple: true, hidden: true, tabindex: -1 });
    this.attach = h('button', { class: 'tool', type: 'button', click: () => this.picker.click() }, icon('clip'));
    this.send = h('button', { class: 'send', type: 'submit' }, icon('send'));
    this.element = h(
      'form',
      { class: 'composer' },
      this.hint,
      this.tray,
      h('div', { class: 'box' }, this.attach, this.field, this.send),
      this.picker,
    );
    this.element.addEventListener('submit', (event) => {
      event.preventDefault();
      this.submit();
    });
    this.field.addEventListener('compositionstart', () => (this.composing = true));
    this.field.addEventListener('compositionend', () => (this.composing = false));
    this.field.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' || event.shiftKey || this.composing || composes(event)) return;
      event.preventDefault();
      this.submit();
    });
    this.field.addEventListener('input', () => {
      draft.set(this.field.value);
      this.chat.typing(this.field.value);
      this.resize();
    });
    this.field.addEventListener('paste', (event) => {
      const files = [...(event.clipboardData?.files ?? [])];
      if (files.length === 0) return;
      event.preventDefault();
      this.add(files);
    });
    this.picker.addEventListener('change', () => {
      this.add([...(this.picker.files ?? [])]);
      this.picker.value = '';
    });
    this.forgetDraft = () => draft.set('');
  }

  private readonly forgetDraft: () => void;

  /** Nothing that was typed or attached stays. */
  clear(): void {
    this.field.value = '';
    this.uploads = [];
    this.tray.replaceChildren();
    this.tray.hidden = true;
    this.say('');
    this.resize();
  }

  focus(): void {
    this.field.focus({ preventScroll: true });
  }

  update(): void {
    this.field.placeholder = this.words.say('placeholder');
    this.field.setAttribute('aria-label', this.words.say('placeholder'));
    this.attach.setAttribute('aria-label', this.words.say('attach'));
    this.attach.title = this.words.say('attach');
    this.send.setAttribute('aria-label', this.words.say('send'));
    this.resize();
  }

  add(files: File[]): void {
    this.say('');
    for (const file of files) {
      if (file.size > MAX_BYTES) this.say(this.words.say('tooLarge'));
      else if (this.uploads.length >= MAX_FILES) this.say(this.words.say('tooMany'));
      else this.begin(file);
    }
  }

  private begin(file: File): void {
    const bar = h('progress', { max: 1, value: 0, 'aria-label': this.words.say('uploading') });
    const remove = h('button', { type: 'button', 'aria-label': `${this.words.say('remove')}: ${file.name}` }, icon('close'));
    const label = h('span', {}, h('b', {}, file.name), h('small', {}, this.words.size(file.size)));
    const chip = h('div', { class: 'chip' }, preview(file), label, remove, bar);
    const upload: Upload = { file, chip, stored: null };
    remove.addEventListener('click', () => {
      this.uploads = this.uploads.filter((one) => one !== upload);
      chip.remove();
      this.show();
    });
    this.uploads.push(upload);
    this.tray.append(chip);
    this.show();
    const run = (): void => {
      chip.className = 'chip';
      this.chat
        .upload(file, (share) => (bar.value = share))
        .then((stored) => {
          upload.stored = stored;
          chip.classList.add('done');
          this.show();
        })
        .catch((error: NotTaken) => {
          chip.classList.add('failed');
          chip.title = this.words.say('uploadFailed');
          this.say(this.words.say(REFUSED[error.code] ?? 'uploadFailed'));
          label.addEventListener('click', run, { once: true });
        });
    };
    run();
  }

  private submit(): void {
    const text = this.field.value.trim();
    const files = this.uploads.map((upload) => upload.stored);
    if (files.some((file) => file === null) || (text === '' && files.length === 0)) return;
    this.chat.say(text, null, files as Attachment[]);
    this.field.value = '';
    this.forgetDraft();
    this.uploads = [];
    this.tray.replaceChildren();
    this.say('');
    this.show();
    this.sent();
    this.focus();
  }

  private say(problem: string): void {
    this.hint.textContent = problem;
    this.hint.hidden = problem === '';
  }

  private show(): void {
    this.tray.hidden = this.uploads.length === 0;
    this.resize();
  }

  private resize(): void {
    this.field.style.height = 'auto';
    this.field.style.height = `${Math.min(this.field.scrollHeight, 132)}px`;
    const ready = this.uploads.every((upload) => upload.stored !== null);
    this.send.disabled = !ready || (this.field.value.trim() === '' && this.uploads.length === 0);
  }
}

function preview(file: File): Node {
  if (!/^image\/(png|jpeg|gif|webp)$/.test(file.type)) return icon('file');
  const address = URL.createObjectURL(file);
  return h('img', { src: address, alt: '', load: () => URL.revokeObjectURL(address) });
}

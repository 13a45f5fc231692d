// Versions of the models, training them, and new intents; `training.zh.ts` has the same keys.
export const training = {
  train: 'Train a new version', note: 'Note', notePlaceholder: 'What is new, e.g. “gift cards, more refund questions”', profile: 'Profile', profiles: { fast: 'Fast', accurate: 'Accurate (slower)' },
  hint: 'Training runs in the background and takes a few minutes. Customers notice nothing: a new version answers nobody until it is released.',
  work: 'In progress', versions: 'Versions', none: 'No version is known yet', noneText: 'Train the first one above. Models trained by hand appear here as soon as the bot lists them.',
  states: { queued: 'Waiting', running: 'Training', done: 'Done', failed: 'Training failed', cancelled: 'Cancelled' },
  by: '{name}, {time}', next: 'Begins in a moment', waiting: 'Begins after the one before it | Begins after the one before it | Begins after {n} others', again: 'The bot stopped in the middle. It is tried once more.',
  progress: 'Progress', soFar: '{time} so far', cancel: 'Cancel', goOn: 'Go on', cancelSure: 'Stop this training? What it has done is lost.', dropSure: 'Take this training out of the queue?', details: 'Details',
  steps: { start: 'Starting', copy: 'Copying the examples', check: 'Checking the examples', load: 'Loading', train: 'Learning', measure: 'Measuring on held-out messages', sign: 'Signing', done: 'Done' },
  parts: { Normaliser: 'tidying the texts', LanguageDetector: 'telling the languages apart', BilingualTokenizer: 'cutting into words', PatternEntities: 'finding entities', SentenceEncoder: 'reading sentences, first encoder', SecondSentenceEncoder: 'reading sentences, second encoder', NGramHasher: 'reading wording', LinearIntentClassifier: 'telling intents apart', Gate: 'knowing what it does not know', RulePolicy: 'dialogue rules' },
  failed: { bad_data: 'Some examples must be corrected first.', no_key: 'A model made here could not be signed.', died: 'The bot stopped in the middle, twice.', refused: 'The bot does not take this work.', not_taken_in: 'The version was trained, but could not be written down.', broken: 'Something went wrong while training.' },
  advice: { bad_data: 'The details name each line. Correct them on the page “Examples” and train again.', no_key: 'The bot has only the public key. Train where the signing key is, or ask an admin.', died: 'Often there is too little memory. Close what else runs on that machine, or ask an admin to look at the bot’s log.', refused: 'Service and bot may be of different versions. Ask an admin.', not_taken_in: 'Train again; if it fails again, ask an admin to look at the service’s log.', broken: 'Train again. If it fails again, show the details to an admin.' },
  ready: 'A new version is ready: {name}', unread: 'The versions could not be read: {message}',
  badges: { live: 'live', candidate: 'being compared' }, gone: 'deleted', byHand: 'trained by hand', byHandNote: 'Trained with make train', noNote: 'No note', took: 'trained in {time}',
  editsSince: 'Knows all edits of examples | 1 edit of examples since | {n} edits of examples since',
  figures: 'Figures on held-out messages', languages: { zh: '中文', en: 'English' }, examples: 'Examples', accuracy: 'Understood', accuracyHint: 'Share of held-out messages whose intent is recognised', f1: 'Macro F1', f1Hint: 'Every intent counts the same, however rare it is', unmeasured: '{zh} Chinese and {en} English examples, not measured', unknownMade: 'Made before versions were kept',
  intent: {
    new: 'New intent', edit: 'Edit intent', drop: 'Delete intent', name: 'Name', nameHint: 'Small letters, digits and _, such as gift_wrapping', titleZh: 'Title in Chinese', titleEn: 'Title in English', titleHint: 'What customers and colleagues read',
    does: 'What the bot does', doing: { knowledge: 'Answers from the knowledge base', reply: 'Says a fixed reply', handoff: 'Hands over to a person' }, replyZh: 'Reply in Chinese', replyEn: 'Reply in English',
    firstZh: 'First examples in Chinese', firstEn: 'First examples in English', lines: 'One per line, the way customers would write',
    enough: 'It takes part in the next training.', few: 'It takes part in a training once one language has {n} examples.', make: 'Make intent', save: 'Save', made: 'The intent is made. It counts after the next training.', saved: 'Saved. It counts after the next training.', dropped: 'The intent is deleted.', dropSure: 'Delete this intent? Its examples must be moved or deleted first.',
  },
}

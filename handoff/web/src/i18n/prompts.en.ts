// The texts of prompts, and of how an answer was phrased, in English; `prompts.zh.ts` must have exactly the same keys.
export const prompts = {
  title: 'Prompts', intro: 'How the language model is asked to phrase answers. Every sentence it writes is checked against the passages; one that they do not support, and customers get the quoted answer instead.',
  model: 'Model: {name}', noModel: 'No language model is set up', noModelText: 'Answers are quoted from articles as they are. You can write and test prompts all the same: the test shows what would be sent.',
  name: { answer_en: 'Answers in English', answer_zh: 'Answers in Chinese' },
  versions: 'Versions', version: 'Version {n}', inUse: 'in use', box: 'came with the product', noNote: 'no note', used: 'Used since {at}, chosen by {name}', history: 'When which version was used', historyLine: 'Version {n} · {at} · {name}',
  template: 'Template', templateHint: 'Curly names are filled in for each question. Click one to insert it where the cursor is.', required: 'required', frame: 'What always goes with it', frameText: 'These rules cannot be changed: what is data, and the form of the answer. BOUNDARY is a new random word for every question.',
  values: 'Your own words', value: { shop_name: 'Shop name', tone: 'Tone' },
  variable: {
    question: 'what the customer asks', passages: 'what the articles say about it', history: 'the last lines of the conversation', language: 'the language of the answer', date: 'today’s date', shop_name: 'filled in below', tone: 'filled in below',
  },
  note: 'What is new in this version?', notePlaceholder: 'For your colleagues, for example: shorter answers', save: 'Save as a new version', saved: 'Version {n} is saved. It is not in use yet.', unchanged: 'Nothing has changed.', changed: 'Not saved yet',
  use: 'Use version {n}', useSure: 'Use version {n} from the next answer on?', nowUsed: 'Version {n} is in use.', goBack: 'Go back to version {n}', cancel: 'Cancel', reset: 'Undo my changes', leave: 'You have changes that are not saved. Leave them behind?',
  test: 'Try it with a question', testHint: 'The draft above is used, saved or not.', question: 'Question', questionPlaceholder: 'How long do I have to return something?', run: 'Test', running: 'Testing…', phrased: 'The customer would read', quoted: 'Quoted answer', noAnswer: 'No article answers this well enough ({score}, needed {gate}), so the bot would ask back. The passages below are the nearest.', sources: 'Sources',
  failed: 'The prompts could not be read: {message}', notSaved: 'Not saved: {message}',
  error: {
    prompt_empty: 'The template is empty.', prompt_too_long: 'Too long: {name}', prompt_unknown_variable: 'There is no variable called “{name}”.', prompt_open_braces: 'A pair of curly braces is not complete ({name}).', prompt_missing_variable: 'The template must contain the variable “{name}”.', prompt_twice: 'The variable “{name}” may be used only once.',
    prompt_missing_value: 'The template uses “{name}”, but its field is empty.', prompt_unknown_value: 'There is no field called “{name}”.', prompt_unknown_version: 'There is no version {name}.', prompt_no_question: 'Type a question first.',
  },
}

export const phrasing = {
  title: 'Phrasing', usedGenerated: 'Phrased by the language model; every sentence is supported.', usedExtractive: 'Quoted from the article.', sentences: 'Sentences of the model', supported: 'supported', refused: 'not supported', by: 'by {id}', passages: 'Passages given', prompt: 'What was sent', output: 'What came back', promptVersion: '{name}, version {n}', draft: '{name}, draft', modelTime: 'model', checkTime: 'check', attempts: '1 attempt | {n} attempts', system: 'rules', user: 'prompt', sure: '{p} sure',
  reason: {
    no_endpoint: 'No language model is set up.', not_asked: 'The model was not asked, because no article answers well enough.', no_passages: 'The passages hold nothing that may be used.', timeout: 'The model did not answer in time.', no_time: 'No time was left in this turn.', resting: 'The model failed repeatedly and is left alone for a while.', no_time_to_check: 'No time was left to check the answer.', not_as_documented: 'The server’s answer cannot be read.', cut_off: 'The model’s answer was cut off.',
    refused: 'The model refused to answer.', empty: 'The model answered nothing.', too_large: 'The server’s answer was too large.', too_long: 'The model’s answer was too long.', not_json: 'The model did not answer in the form that was asked for.', not_as_asked: 'The model did not answer in the form that was asked for.', model_has_no_answer: 'The model found no answer in the passages.', internal: 'Something failed here and was logged.', status: 'The server answered with status {code}.', connection: 'The server could not be reached.', other: 'The phrased answer was not used ({code}).', unsupported: 'A sentence is not supported: {why}',
  },
  why: {
    number: 'a number that the passage does not have ({detail})', number_elsewhere: 'a number that the passage gives for something else ({detail})', name: 'a name that the passage does not have ({detail})', link: 'an address that the passage does not have ({detail})', negation: 'the passage says the opposite, or not that', meaning: 'the passage does not say this', mixed: 'it joins what the passage says of different things', clause: 'a part of it is not in the passage', language: 'not in the customer’s language', prompt: 'words of the prompt', markup: 'marks that are not plain text', no_passage: 'names no passage', unknown_passage: 'names a passage that was not given', too_long: 'too long',
  },
}

export const pages = { label: 'Settings', supervision: 'Oversight', training: 'Training the bot', teams: 'Teams', synonyms: 'Synonyms', prompts: 'Prompts', assist: 'Assist' }

// Texts of searching, proving and taking out of the audit trail; the keys match `audit_proof.zh.ts`.
export const auditProof = {
  words: 'Words, also in what is sealed', search: 'Search', wordsNote: 'Looking into sealed parts is itself recorded, without the words.', entriesOf: 'Entries in the audit trail',
  lookedTo: 'Looked back to entry {n} ({at}).', lookedAll: 'Looked back to the beginning of what was asked for.', further: 'Look further back',
  ofConversation: 'Only the conversation {id}', ofContact: 'Only the customer {id}', conversation: 'Conversation', contact: 'Customer', only: 'Only these', progress: 'Read {read} of {of} entries…',
  around: 'The first bad entry and its neighbours', state: 'State', states: { fits: 'fits its hash', changed: 'was changed', missing: 'is missing', unlinked: 'cannot be linked: the one before is missing' },
  proof: {
    show: 'Proof', title: 'Proof of entry {n}', failed: 'The proof could not be read: {message}', here: 'Recomputed in this browser', entry: 'SHA-256 of the text below, after the hash before it, is the recorded hash', path: 'The {n} entries after it lead to the hash in checkpoint {mark}', pathLong: 'Too many entries lie between here and checkpoint {mark}; check the whole trail instead', signature: 'The checkpoint is signed with this desk’s key ({at})',
    yes: 'Right', no: 'WRONG', unknown: 'Not checked: this browser cannot', noCheckpoint: 'No checkpoint covers this entry yet; one is signed within a minute.',
    compared: 'What the trail says and what the desk holds now', field: 'Field', trail: 'Audit trail', now: 'Now', result: 'Result', result_same: 'same', result_differs: 'DIFFERS', result_erased: 'erased, unreadable', result_gone: 'no longer there', result_broken: 'sealed part was exchanged',
    fields: { conversation_id: 'Conversation', in_seq: 'Number of the message', out_seqs: 'Numbers of the answers', text: 'Customer’s words', replies: 'Answers', trace: 'Reasons (SHA-256)', intent: 'Intent', confidence: 'Confidence', route: 'Route', policy: 'Policy', model_id: 'Model id', model: 'Model', sealed: 'Sealed part' },
    hash: 'Hash', previous: 'Hash before', canonical: 'Text as hashed', computed: 'Recomputed', toTrail: 'Entries of this conversation', close: 'Close',
  },
  export: {
    do: 'Take out', title: 'Take a signed copy out', intro: 'A .zip that anybody can check without this desk. What is personal stays sealed.', everything: 'Everything', period: 'The period chosen above', conversation: 'The conversation chosen above', linked: 'With the entries in between up to the next checkpoints, which prove their place (of others: ids only)',
    opened: 'Add personal parts in readable form', reason: 'Why? It is recorded.', reasonNeeded: 'Say in a few words why.', download: 'Download', failed: 'The copy could not be made: {message}', fingerprint: 'Fingerprint of the key', fingerprintHint: 'Give it to the recipient by another way than the file. They run: python verify_bundle.py FILE --fingerprint …', cancel: 'Cancel', done: 'The copy was downloaded.',
  },
}

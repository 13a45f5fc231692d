// The live board of supervisors, and the wallboard.
export const live = {
  title: 'Live', intro: 'Everything that is open now: who waits, what was promised, and who is there to answer.',
  failed: 'The board could not be read: {message} What you see may be out of date; it is read again by itself.', late: 'Not connected. What you see is from {time}.',
  wall: 'Wallboard', states: { queued: 'Waiting', assigned: 'With agents', bot: 'With the bot', snoozed: 'Put aside' }, all: 'All open',
  totals: 'How many are open', promises: 'Promises', lateCount: '{n} late', riskCount: '{n} at risk',
  queues: 'Queues', team: 'Team', waiting: 'Waiting', oldest: 'Longest', expected: 'Expected wait', onDuty: 'On duty', status: 'Status', noTeam: 'No team', goneTeam: 'Former team', opens: 'opens {time}', closed: 'closed',
  words: { closed: 'Closed', nobody: 'Nobody there', late: 'Promise broken', risk: 'Promise at risk', waiting: 'Being served', clear: 'Nobody waits' },
  agents: 'Agents', agent: 'Agent', presence: { online: 'Online', away: 'Away', offline: 'Offline' }, load: 'Conversations', loadOf: '{n} of {most}', offeredToo: '+ {n} offered', unanswered: 'Longest unanswered', showOffline: 'Show who is offline ({n})', noAgents: 'Nobody is at the desk.', full: 'full',
  conversations: 'Conversations', filters: 'Which conversations', anyState: 'Any state', anyTeam: 'Any team', anyAgent: 'Any agent', anyChannel: 'Any channel', attention: 'Needs attention', clear: 'Clear',
  sort: 'Order', sorts: { attention: 'Needs attention first', waiting: 'Longest wait first', promise: 'Promise due first', mood: 'Worst mood first', confidence: 'Least sure bot first', priority: 'Highest priority first', newest: 'Newest first' },
  needs: { late: 'promise broken', risk: 'promise at risk', unanswered: 'unanswered for long', upset: 'upset', askedBack: 'bot asked back', urgent: 'urgent' },
  contact: 'Customer', state: 'State', waits: 'Waits', due: 'Promise due', mood: 'Mood', bot: 'Bot’s last turn', channelLanguage: 'Channel', priority: 'Priority', languages: { zh: 'Chinese', en: 'English' },
  overdue: '{time} late', noWait: '–', offeredTo: 'offered to {name}', confidence: '{p} sure', noTurn: '–', noPreview: 'No words yet', botSaid: 'Bot:', agentSaid: 'Agent:',
  none: 'Nothing is open.', noneFits: 'Nothing fits these filters.', beyond: '{n} more are open and not listed; narrow it down with the filters.',
  listen: 'Listen in', listenTo: 'Listen in on {name}', stop: 'Stop listening', seen: 'Colleagues can see that you look at this conversation; the customer cannot.', seenAuditor: 'Nobody is told that you look at this conversation.', openDesk: 'Open in the desk', replyDesk: 'Reply in the desk', gone: 'This conversation could not be read: {message}', loading: 'Reading the conversation…',
  whisper: 'Whisper', whisperTo: 'Whisper to {name}', whisperAll: 'Note for colleagues', whisperHint: 'A private note that rings at the agent’s desk. The customer never sees it.', whisperHintAll: 'A private note. The customer never sees it.', whisperPlaceholder: 'What should they know?', send: 'Whisper', sendAll: 'Add note', whispered: '{name} has your note.', noted: 'The note is in the conversation.', notSent: 'Not sent: {message} Your words are still here.',
  board: {
    title: 'Wallboard', close: 'Close the wallboard', full: 'Full screen', waiting: 'waiting', oldest: 'longest wait', late: 'promises broken', risk: 'promises at risk', talking: 'with agents', bot: 'with the bot', online: 'online', away: 'away', free: 'free places', minutes: 'min', expected: 'Wait now', nobody: 'none', connected: 'Live', lost: 'Not connected', at: 'as of {time}', more: '{n} more teams', verdict: { danger: 'Act now', warn: 'Keep an eye on it', ok: 'All fine', quiet: 'Closed' },
  },
}

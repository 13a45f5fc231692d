// The actions the desk has by itself. Other features add theirs with `actions.add`.
import { ElMessageBox } from 'element-plus'

import { abilitiesOf, type Abilities } from '../abilities'
import { i18n } from '../i18n'
import { actions, type Action } from './actions'
import { act } from './acts'
import { desk, inbox, type Verb } from './desk'
import { panels, writing } from './panels'
import { go, goToPage, PAGES, place, type Page } from './place'
import { preferences } from './preferences'
import { session } from './session'
import { VIEWS } from './inbox'
import type { BuiltInView } from '../types'

const t = i18n.global.t
const say = (name: string) => () => t(`writing.action.${name}`)
const words = (name: string) => () => t(`writing.words.${name}`)
const VIEW_KEYS: Record<BuiltInView, string> = { mine: 'm', queued: 'w', team: 't', bot: 'b', all: 'a', snoozed: 'z', mentions: '@', resolved: 'r' }

function abilities(): Abilities | null {
  const { value: open } = desk.conversation
  return open && session.staff.value ? abilitiesOf(open, session.staff.value) : null
}

function why(what: keyof Abilities): string | null {
  const reason = abilities()?.[what]
  return reason ? t(`conversation.why.${reason}`, { name: desk.conversation.value?.agent_name ?? '' }) : null
}

const here = () => desk.conversation.value !== null && !place.page && session.worksAtDesk.value
const open = () => here() && desk.conversation.value?.status !== 'resolved'

/** Asks unless the agent has been asked by a button of its own. */
async function surely(verb: Verb, sure: boolean): Promise<void> {
  try {
    if (!sure) await ElMessageBox.confirm(t(`conversation.${verb}Sure`), { confirmButtonText: t(`conversation.${verb}`), cancelButtonText: t('conversation.cancel'), type: 'warning' })
  } catch {
    return
  }
  await act(verb)
}

function pageShown(page: Page): boolean {
  if (page === 'live' || page === 'reports' || page === 'alerts') return session.readsReports.value
  if (page === 'reviews') return true
  if (page === 'prompts') return session.trains.value
  if (page === 'rules' || page === 'search' || page === 'knowledge') return true
  if (page === 'audit') return session.audits.value
  if (page === 'access') return session.administers.value
  if (page === 'channels') return session.oversees.value
  if (page === 'assist') return session.seesTeaching.value || session.readsReports.value
  if (page === 'models') return session.seesTeaching.value || session.audits.value
  if (page === 'mishaps') return session.seesTeaching.value || session.audits.value
  if (page === 'teams' || page === 'ratings') return session.worksAtDesk.value || session.readsReports.value
  if (page === 'examples') return session.seesTeaching.value || session.audits.value
  return page === 'synonyms' ? session.seesTeaching.value : session.worksAtDesk.value
}

function nextUnread(): void {
  const rows = inbox.rows.value
  const from = rows.findIndex((one) => one.id === place.conversationId)
  const unread = [...rows.slice(from + 1), ...rows.slice(0, from + 1)].find((one) => one.unread && one.id !== place.conversationId)
  if (unread) desk.open(unread.id)
}

const own: Action[] = [
  {
    id: 'accept', group: 'conversation', title: () => t(`writing.action.${desk.conversation.value?.status === 'bot' ? 'takeOver' : 'accept'}`), words: words('accept'), keys: ['a'],
    shown: () => here() && ['queued', 'bot'].includes(desk.conversation.value?.status ?? ''), why: () => why('accept'), run: () => act('accept'),
  },
  { id: 'transfer', group: 'conversation', title: say('transfer'), words: words('transfer'), keys: ['t'], shown: open, why: () => why('transfer'), run: () => (panels.handOn = 'transfer') },
  { id: 'requeue', group: 'conversation', title: say('requeue'), words: words('requeue'), keys: ['q'], shown: open, why: () => why('requeue'), run: () => (panels.handOn = 'requeue') },
  { id: 'release', group: 'conversation', title: say('release'), words: words('release'), keys: ['b'], shown: open, why: () => why('release'), run: (sure = false) => surely('release', sure) },
  { id: 'resolve', group: 'conversation', title: say('resolve'), words: words('resolve'), keys: ['e'], shown: open, why: () => why('resolve'), run: (sure = false) => surely('resolve', sure) },
  { id: 'resolve-silently', group: 'conversation', title: () => t('ratingCard.silently'), shown: open, why: () => why('resolve'), run: async () => void (await act('resolve', { silent: true })) },
  { id: 'reply', group: 'conversation', title: say('reply'), words: words('reply'), keys: ['r'], shown: here, why: () => why('reply'), run: () => writing.box?.choose('reply') },
  { id: 'note', group: 'conversation', title: say('note'), words: words('note'), keys: ['n'], shown: here, why: () => why('note'), run: () => writing.box?.choose('note') },
  { id: 'canned', group: 'conversation', title: say('canned'), words: words('canned'), keys: ['c'], shown: here, why: () => why('reply'), run: () => writing.box?.openCanned() },
  { id: 'macro', group: 'conversation', title: say('macro'), words: words('macro'), keys: ['m'], shown: here, run: () => (panels.bar = 'macros') },
  { id: 'bar', group: 'desk', title: say('bar'), keys: ['mod+k'], run: () => (panels.bar = panels.bar ? '' : 'all') },
  { id: 'shortcuts', group: 'desk', title: say('shortcuts'), words: words('shortcuts'), keys: ['?'], run: () => (panels.shortcuts = true) },
  { id: 'unread', group: 'desk', title: say('unread'), keys: ['u'], shown: () => !place.page, run: nextUnread },
  { id: 'close', group: 'desk', title: say('close'), keys: ['Escape'], shown: () => desk.openId.value !== null && !place.page, run: () => desk.open(null) },
  { id: 'alerts', group: 'desk', title: say('alerts'), words: words('alerts'), shown: () => session.worksAtDesk.value, run: () => (panels.alerts = true) },
  { id: 'presence', group: 'desk', title: say('presence'), words: words('presence'), shown: () => session.worksAtDesk.value, run: () => desk.setPresence(desk.presence.value === 'online' ? 'away' : 'online').catch(() => undefined) },
  { id: 'language', group: 'desk', title: say('language'), words: words('language'), run: () => (preferences.language = preferences.language === 'zh' ? 'en' : 'zh') },
  { id: 'theme', group: 'desk', title: say('theme'), words: words('theme'), run: () => (preferences.dark = !preferences.dark) },
  ...VIEWS.map((view): Action => ({ id: `view-${view}`, group: 'go', title: () => t(`organise.view.${view}`), keys: ['g', VIEW_KEYS[view]], run: () => go(view, place.conversationId) })),
  ...PAGES.map((page): Action => ({ id: `page-${page}`, group: 'go', title: () => t(`pages.${page}`), shown: () => pageShown(page), run: () => goToPage(page) })),
]

actions.add(...own)

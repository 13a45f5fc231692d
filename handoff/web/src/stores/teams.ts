// The teams of the desk: read once for their names, and again by whoever changes them.
import { computed, ref } from 'vue'

import { api } from '../api'
import { preferences } from './preferences'
import type { Person, RoutingRule, Team } from '../types'

const teams = ref<Team[]>([])
const rules = ref<RoutingRule[]>([])
const people = ref<Person[]>([])
const loaded = ref(false)

async function read(): Promise<void> {
  const page = await api.teams()
  teams.value = page.teams
  rules.value = page.rules
  people.value = page.people
  loaded.value = true
}

export function teamName(team: Pick<Team, 'name_zh' | 'name_en'>): string {
  return (preferences.language === 'zh' ? team.name_zh || team.name_en : team.name_en || team.name_zh) || ''
}

/** Names for the list and the requests; a desk with one team needs none. */
export const teamNames = {
  of(id: string | null | undefined): string {
    const found = teams.value.length > 1 ? teams.value.find((one) => one.id === id) : undefined
    return found ? teamName(found) : ''
  },
}

export const teamBook = { teams, rules, people, loaded, read, active: computed(() => teams.value.filter((one) => one.active)) }

// Who is signed in. When a session ends the page keeps its address, so signing in returns to the same conversation.
import { computed, ref } from 'vue'

import { api, ApiError, onSessionEnd, useCsrf } from '../api'
import type { Role, Session, Staff } from '../types'

const staff = ref<Staff | null>(null)
const checked = ref(false)
const expired = ref(false)
const unreachable = ref(false)

function begin(session: Session): void {
  useCsrf(session.csrf)
  staff.value = session.staff
  expired.value = false
}

function end(): void {
  if (staff.value) expired.value = true
  staff.value = null
}

async function restore(): Promise<void> {
  unreachable.value = false
  try {
    begin(await api.me())
  } catch (error) {
    unreachable.value = !(error instanceof ApiError && error.status === 401)
  }
  checked.value = true
}

async function signIn(email: string, password: string): Promise<void> {
  begin(await api.signIn(email.trim(), password))
}

/** Throws when the server was not reached: the session would still be open. */
async function signOut(): Promise<void> {
  await api.signOut()
  staff.value = null
  expired.value = false
  window.location.hash = ''
}

onSessionEnd(end)

const DESK: readonly Role[] = ['agent', 'supervisor', 'admin']
const OVERSEERS: readonly Role[] = ['supervisor', 'admin']
const TRAINERS: readonly Role[] = ['trainer', 'admin']

/** May speak with contacts. */
const worksAtDesk = computed(() => staff.value !== null && DESK.includes(staff.value.role))
/** May move conversations that somebody else holds. */
const oversees = computed(() => staff.value !== null && OVERSEERS.includes(staff.value.role))

/** May change what the bot knows and how it says it. */
const trains = computed(() => staff.value !== null && TRAINERS.includes(staff.value.role))

/** May look at what the bot is taught. */
const seesTeaching = computed(() => staff.value !== null && staff.value.role !== 'agent')

export const session = { staff, checked, expired, unreachable, worksAtDesk, oversees, trains, seesTeaching, restore, signIn, signOut, end }

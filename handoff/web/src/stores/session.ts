// Who is signed in. When a session ends the page keeps its address, so signing in returns to the same conversation.
import { computed, ref } from 'vue'

import { api, ApiError, onSessionEnd, useCsrf } from '../api'
import { leavingTo } from '../leaving'
import type { Role, Session, Staff } from '../types'

const staff = ref<Staff | null>(null)
const checked = ref(false)
const expired = ref(false)
/** What is still missing after the password: a code, or a second factor to be set up. */
const missing = ref<'code' | 'enrol' | null>(null)
const unreachable = ref(false)
/** How this session began: who came through the provider may have no password here. */
const way = ref<Session['way']>('password')

function begin(session: Session): void {
  useCsrf(session.csrf)
  missing.value = session.stage === 'enrol' ? 'enrol' : null
  staff.value = session.staff
  way.value = session.way
  expired.value = false
}

function end(): void {
  if (staff.value) expired.value = true
  missing.value = null
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
  const answer = await api.signIn(email.trim(), password)
  if (answer.stage === 'code') missing.value = 'code'
  else begin(answer)
}

/** The second step; returns how many recovery codes are left if one was used. */
async function signInCode(code: string): Promise<number | null> {
  const answer = await api.signInCode(code)
  begin(answer)
  return answer.recovery_codes_left ?? null
}

/** Throws when the server was not reached: the session would still be open. Who came in through the provider leaves there too. */
async function signOut(): Promise<void> {
  const { sign_out_at: there } = await api.signOut()
  staff.value = null
  missing.value = null
  expired.value = false
  window.location.hash = ''
  const address = leavingTo(there)
  if (address) window.location.assign(address)
}

onSessionEnd(end)

const DESK: readonly Role[] = ['agent', 'supervisor', 'admin']
const OVERSEERS: readonly Role[] = ['supervisor', 'admin']
const TRAINERS: readonly Role[] = ['trainer', 'admin']

/** May speak with contacts. */
const worksAtDesk = computed(() => staff.value !== null && DESK.includes(staff.value.role))
/** May move conversations that somebody else holds. */
const oversees = computed(() => staff.value !== null && OVERSEERS.includes(staff.value.role))

/** Looks after the machinery. */
const administers = computed(() => staff.value?.role === 'admin')

/** May change what the bot knows and how it says it. */
const trains = computed(() => staff.value !== null && TRAINERS.includes(staff.value.role))

/** May look at what the bot is taught. */
const seesTeaching = computed(() => staff.value !== null && ['trainer', 'supervisor', 'admin'].includes(staff.value.role))

/** Reads reports about everybody, and may export them. */
const readsReports = computed(() => oversees.value || staff.value?.role === 'auditor')

/** Reads the audit trail. */
const audits = computed(() => staff.value?.role === 'auditor' || staff.value?.role === 'admin')

export const session = { staff, way, missing, begin, signInCode, checked, expired, unreachable, worksAtDesk, oversees, administers, trains, seesTeaching, readsReports, audits, restore, signIn, signOut, end }

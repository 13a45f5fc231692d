// What is open on top of the desk, so that a button, a key and the command bar open the same thing.
import { reactive } from 'vue'

import type { Macro } from '../types'

export interface Panels {
  bar: '' | 'all' | 'macros' //: the command bar, and what it begins with
  shortcuts: boolean
  alerts: boolean
  secondFactor: boolean
  sessions: boolean //: where one is signed in
  handOn: 'transfer' | 'requeue' | null
  macro: Macro | null //: about to be run
}

export const panels = reactive<Panels>({ bar: '', shortcuts: false, alerts: false, secondFactor: false, sessions: false, handOn: null, macro: null })

/** The message box that is on the screen; the keys and the bar write through it. */
export interface Writer {
  choose(mode: 'reply' | 'note'): void
  insertCanned(id: string): Promise<void>
  openCanned(): void
  put(text: string): void
}

export const writing: { box: Writer | null } = { box: null }

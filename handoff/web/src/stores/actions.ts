// Everything an agent can do, in one register that buttons, keys and the command bar share.
import { shallowReactive } from 'vue'

export type ActionGroup = 'conversation' | 'write' | 'go' | 'desk'

export interface Action {
  id: string
  group: ActionGroup
  title: () => string
  /** A key, or keys one after the other: `['t']`, `['g', 'm']`. */
  keys?: readonly string[]
  /** Other words under which people look for it. */
  words?: () => string
  /** Why it cannot be done now, or null; the reason is shown. */
  why?: () => string | null
  /** False hides it: it makes no sense here. */
  shown?: () => boolean
  /** `sure`: the agent has been asked already. */
  run: (sure?: boolean) => unknown
}

export function createActions() {
  const known = shallowReactive(new Map<string, Action>())

  /** Offers actions; the function returned takes them away again. A later one of the same id replaces the earlier. */
  function add(...offered: Action[]): () => void {
    for (const one of offered) known.set(one.id, one)
    return () => {
      for (const one of offered) if (known.get(one.id) === one) known.delete(one.id)
    }
  }

  const all = (): Action[] => [...known.values()]
  const shown = (): Action[] => [...known.values()].filter((one) => one.shown?.() ?? true)
  const why = (id: string): string | null => known.get(id)?.why?.() ?? null

  /** Runs one unless something forbids it; returns whether it ran. */
  function run(id: string, sure = false): boolean {
    const one = known.get(id)
    if (!one || !(one.shown?.() ?? true) || (one.why?.() ?? null) !== null) return false
    one.run(sure)
    return true
  }

  /** What the keys pressed so far mean: an action, "more" when a longer sequence begins like this, or nothing. */
  function forKeys(pressed: readonly string[]): Action | 'more' | null {
    const starting = shown().filter((one) => one.keys && pressed.every((key, place) => one.keys?.[place] === key))
    const exact = starting.find((one) => one.keys?.length === pressed.length)
    return exact ?? (starting.length ? 'more' : null)
  }

  return { add, all, shown, why, run, forKeys }
}

export const actions = createActions()

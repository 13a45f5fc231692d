// What somebody typed into a dialog is not thrown away by a click that misses it.
import { readdirSync, readFileSync } from 'node:fs'

import { describe, expect, it } from 'vitest'

const COMPONENTS = new URL('../src/components/', import.meta.url)
const FIELD = /<(?:El(?:Input|InputNumber|Select|DatePicker|Upload|Checkbox|RadioGroup|Switch)|textarea|select|input)\b/
/** Its switches take effect at once, so nothing in it can be lost. */
const AT_ONCE = ['AlertsDialog']
const STAYS = ":close-on-click-modal=\"false\""
const files = readdirSync(COMPONENTS).filter((file) => file.endsWith('.vue'))
const sources = new Map(files.map((file) => [file.slice(0, -'.vue'.length), readFileSync(new URL(file, COMPONENTS), 'utf8')]))
const template = (name: string) => sources.get(name)?.split('\n<template>')[1]?.split('\n</template>')[0] ?? ''

/** Whether there is something to fill in, also in a component that stands in it. */
function holdsField(markup: string, above: readonly string[] = []): boolean {
  if (FIELD.test(markup)) return true
  const inner = new Set([...markup.matchAll(/<([A-Z]\w+)/g)].map((found) => found[1]!))
  return [...inner].some((name) => sources.has(name) && !above.includes(name) && holdsField(template(name), [...above, name]))
}

describe('a click beside a dialog', () => {
  it('leaves every dialog open that holds something to fill in', () => {
    const forms: string[] = []
    const closing: string[] = []
    for (const name of sources.keys()) {
      for (const [, head, body] of template(name).matchAll(/<ElDialog\b((?:"[^"]*"|[^>"])*)>([\s\S]*?)<\/ElDialog>/g)) {
        if (AT_ONCE.includes(name) || !holdsField(body!)) continue
        forms.push(name)
        if (!head!.includes(STAYS)) closing.push(name)
      }
    }
    expect(forms.length).toBeGreaterThan(15)
    expect(closing).toEqual([])
  })

  it('leaves every question open that is answered in words', () => {
    const asking = [...sources].filter(([, source]) => source.includes('ElMessageBox.prompt('))
    expect(asking.length).toBeGreaterThan(2)
    for (const [name, source] of asking) expect(source.split('closeOnClickModal: false').length, name).toBe(source.split('ElMessageBox.prompt(').length)
  })
})

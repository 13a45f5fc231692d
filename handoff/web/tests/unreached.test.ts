// A server that is not reached is told, not waited for and not taken for an empty list.
import 'vue'
import 'vue-i18n'
import { beforeAll, describe, expect, it, vi } from 'vitest'

import { openBrowser } from './browser'

openBrowser('#/mine', () => ({}))
vi.stubGlobal('fetch', () => Promise.reject(new TypeError('Failed to fetch')))

type Told = { reads: () => Promise<unknown>; problem: { value: string | null } }
let stores: Record<string, Told>

beforeAll(async () => {
  const { mishaps } = await import('../src/stores/mishaps')
  const { examples } = await import('../src/stores/examples')
  const { createJobs } = await import('../src/stores/jobs')
  const { prompts } = await import('../src/stores/prompts')
  const { search } = await import('../src/stores/search')
  const jobs = createJobs()
  jobs.watch('train')
  search.wanted.q = 'lamp'
  stores = {
    mishaps: { reads: mishaps.read, problem: mishaps.problem },
    'an open mishap': { reads: () => mishaps.open('g'), problem: mishaps.unread },
    examples: { reads: examples.readList, problem: examples.problem },
    jobs: { reads: jobs.read, problem: jobs.problem },
    prompts: { reads: prompts.read, problem: prompts.failed },
    search: { reads: search.now, problem: search.failed },
  }
})

describe('a server that is not reached', () => {
  // An empty text is a problem as well: the page then says that the server cannot be reached, in the reader's language.
  it.each(['mishaps', 'an open mishap', 'examples', 'jobs', 'prompts', 'search'])('is told with %s', async (name) => {
    const { reads, problem } = stores[name]!
    expect(problem.value).toBeNull()
    await reads()
    expect(problem.value).toBe('')
  })
})

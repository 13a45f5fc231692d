// Long work for the models as it goes on: who looks at it says which kind, and hears of every change.
import { ref } from 'vue'

import { versionApi, type Job } from '../versions'
import type { LiveEvent } from './live'

export function createJobs(server: Pick<typeof versionApi, 'jobs' | 'job'> = versionApi) {
  const jobs = ref<Job[]>([])
  const problem = ref<string | null>(null) //: "" where the server was not reached
  const loaded = ref(false)
  let kind: string | null = null
  let ended: (job: Job) => void = () => undefined

  async function read(): Promise<void> {
    if (kind === null) return
    const wanted = kind
    try {
      const found = await server.jobs(wanted)
      if (kind !== wanted) return
      jobs.value = found.jobs
      problem.value = null
    } catch (error) {
      problem.value = error instanceof Error ? error.message : String(error)
    }
    loaded.value = true
  }

  function put(job: Job): void {
    const at = jobs.value.findIndex((one) => one.id === job.id)
    if (at < 0) jobs.value = [job, ...jobs.value]
    else jobs.value = jobs.value.map((one, place) => (place === at ? { ...one, ...job } : one))
  }

  function apply(event: LiveEvent): void {
    if (event.type !== 'learning_job' || event.job.kind !== kind) return
    put(event.job)
    if (event.job.state !== 'queued' && event.job.state !== 'running') void whole(event.job.id)
  }

  /** What came of it does not travel with the news. */
  async function whole(id: string): Promise<void> {
    const found = await server.job(id).catch(() => null)
    if (!found) return
    put(found.job)
    ended(found.job)
  }

  function watch(wanted: string | null, onEnd: (job: Job) => void = () => undefined): void {
    if (kind !== wanted) {
      jobs.value = []
      loaded.value = false
    }
    kind = wanted
    ended = onEnd
  }

  return { jobs, problem, loaded, read, put, apply, watch }
}

export const jobs = createJobs()

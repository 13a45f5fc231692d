// Files on their way into a message: several at once, each with its progress, kept with their conversation.
import { reactive } from 'vue'

import { ApiError, type api as Api } from '../api'
import type { Attachment } from '../types'

export interface Upload {
  id: string
  name: string
  size: number
  share: number //: 0 to 1
  file: File | null //: until it has arrived
  attachment: Attachment | null
  error: string | null //: "" where the server was not reached
  code: string //: of the refusal, and what it is about, for the reader's own language
  detail: string
}

export const MAX_FILES = 10
export const MAX_FILE_BYTES = 10 * 1024 * 1024
const AT_ONCE = 3

export function createUploads(api: Pick<typeof Api, 'upload'>) {
  const lists = reactive(new Map<string, Upload[]>())
  const stops = new Map<string, AbortController>()

  const of = (conversation: string): Upload[] => lists.get(conversation) ?? []

  /** Takes files in; returns those that were not, because there are too many or they are too large. */
  function add(conversation: string, files: Iterable<File>): { tooMany: File[]; tooLarge: File[] } {
    const refused = { tooMany: [] as File[], tooLarge: [] as File[] }
    for (const file of files) {
      if (file.size > MAX_FILE_BYTES) refused.tooLarge.push(file)
      else if (of(conversation).length >= MAX_FILES) refused.tooMany.push(file)
      else lists.set(conversation, [...of(conversation), { id: crypto.randomUUID(), name: file.name, size: file.size, share: 0, file, attachment: null, error: null, code: '', detail: '' }])
    }
    pump(conversation)
    return refused
  }

  function pump(conversation: string): void {
    const list = of(conversation)
    const running = list.filter((one) => stops.has(one.id)).length
    const next = list.filter((one) => one.file && one.error === null && !stops.has(one.id)).slice(0, Math.max(0, AT_ONCE - running))
    for (const one of next) void send(conversation, one.id)
  }

  async function send(conversation: string, id: string): Promise<void> {
    const one = of(conversation).find((each) => each.id === id)
    if (!one?.file) return
    const stop = new AbortController()
    stops.set(id, stop)
    try {
      const { attachment } = await api.upload(one.file, (share) => (one.share = share), stop.signal)
      Object.assign(one, { attachment, share: 1, file: null })
    } catch (error) {
      const refused = error instanceof ApiError && !error.offline ? error : null
      if (!stop.signal.aborted) Object.assign(one, { error: refused?.message ?? '', code: refused?.code ?? '', detail: refused?.detail ?? '' })
    } finally {
      stops.delete(id)
      pump(conversation)
    }
  }

  function retry(conversation: string, id: string): void {
    const one = of(conversation).find((each) => each.id === id)
    if (!one?.file) return
    Object.assign(one, { error: null, code: '', detail: '', share: 0 })
    pump(conversation)
  }

  /** Stops an upload, or takes a file that has arrived off the message. */
  function remove(conversation: string, id: string): void {
    stops.get(id)?.abort()
    lists.set(conversation, of(conversation).filter((one) => one.id !== id))
  }

  /** The files to send, which then belong to the message. */
  function take(conversation: string): Attachment[] {
    const ready = of(conversation).flatMap((one) => (one.attachment ? [one.attachment] : []))
    lists.delete(conversation)
    return ready
  }

  const busy = (conversation: string): boolean => of(conversation).some((one) => one.file !== null)

  /** Stops everything on its way and takes every file off: somebody else is at this console now. */
  function clear(): void {
    for (const stop of stops.values()) stop.abort()
    lists.clear()
  }

  return { of, add, retry, remove, take, busy, clear }
}

export type Uploads = ReturnType<typeof createUploads>

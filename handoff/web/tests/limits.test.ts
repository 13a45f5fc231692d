import { describe, expect, it } from 'vitest'

import { USUAL, layersOf, limitQuery, lineOf, moved, share, type Point } from '../src/limits'

const point = (at: number, more: Partial<Point> = {}): Point => ({ at, right: 0.5, wrong: 0.1, clarified: 0.2, missed: 0.1, handed_off: 0.1, cost: 1, cost_low: 0.5, cost_high: 2, reckoned: 0, ...more })

describe('thresholds', () => {
  it('never asks back above where the bot acts: the other threshold gives way', () => {
    const limits = { answer: 0.6, clarify: 0.3, retrieval: 0.5 }
    expect(moved(limits, 'answer', 0.2)).toEqual({ answer: 0.2, clarify: 0.2, retrieval: 0.5 })
    expect(moved(limits, 'clarify', 0.8)).toEqual({ answer: 0.8, clarify: 0.8, retrieval: 0.5 })
    expect(moved(limits, 'retrieval', 1.7)).toEqual({ answer: 0.6, clarify: 0.3, retrieval: 1 })
    expect(moved(limits, 'answer', 0.6049)).toEqual({ answer: 0.6, clarify: 0.3, retrieval: 0.5 })
  })

  it('draws the outcomes upon each other up to the top', () => {
    const layers = layersOf([point(0), point(1)], 100, 10)
    expect(layers.map((layer) => layer.name)).toEqual(['right', 'wrong', 'clarified', 'missed', 'handed_off'])
    expect(layers[0]?.path).toBe('M0,5L100,5L100,10L0,10Z')
    expect(layers[4]?.path).toBe('M0,0L100,0L100,1L0,1Z')
    expect(layersOf([], 100, 10).every((layer) => layer.path === '')).toBe(true)
  })

  it('draws a line to scale, and none from nothing', () => {
    expect(lineOf([{ at: 0, value: 0 }, { at: 1, value: 2 }], 100, 10, 4)).toBe('M0,10L100,5')
    expect(lineOf([], 100, 10, 4)).toBe('')
  })

  it('shows small shares exactly and traces of nothing as nothing', () => {
    expect([share(0.5), share(0.034), share(0.00001), share(1)]).toEqual(['50%', '3.4%', '0%', '100%'])
  })

  it('asks with the costs, and with what is tried', () => {
    const query = new URLSearchParams(limitQuery({ language: 'zh', days: 30, models: 'latest', costs: USUAL }, { answer: 0.6, clarify: 0.3, retrieval: 0.5 }))
    expect(Object.fromEntries(query)).toEqual({ language: 'zh', days: '30', models: 'latest', wrong: '4', clarified: '0.3', missed: '0.6', handed_off: '1', silence: '0.5', answer: '0.6', clarify: '0.3', retrieval: '0.5' })
  })
})

// The page of models: versions, tests, replay, what serves, limits, trying out.
export const models = {
  title: 'Models',
  intro: 'Train, prove and release what the bot understands. Customers notice nothing until a model is released.',
  tabs: { label: 'Parts', versions: 'Versions', tests: 'Tests', replay: 'Replay', live: 'Live', limits: 'Thresholds', trial: 'Try it' },
}

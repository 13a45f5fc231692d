// What a browser calls itself, in words people know.
const BROWSERS: [RegExp, string][] = [
  [/Edg(e|A|iOS)?\//, 'Edge'],
  [/OPR\//, 'Opera'],
  [/MicroMessenger\//, '微信'],
  [/Firefox\/|FxiOS\//, 'Firefox'],
  [/HeadlessChrome\/|Chrome\/|CriOS\//, 'Chrome'],
  [/Safari\//, 'Safari'],
]
const SYSTEMS: [RegExp, string][] = [
  [/iPhone/, 'iPhone'],
  [/iPad/, 'iPad'],
  [/Android/, 'Android'],
  [/Windows/, 'Windows'],
  [/Mac OS X|Macintosh/, 'macOS'],
  [/Linux|X11/, 'Linux'],
]

/** "Chrome · macOS", or nothing where neither is known. */
export function browserName(agent: string): string {
  const named = (known: [RegExp, string][]) => known.find(([pattern]) => pattern.test(agent))?.[1] ?? ''
  return [named(BROWSERS), named(SYSTEMS)].filter(Boolean).join(' · ')
}

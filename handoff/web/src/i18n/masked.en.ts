// Words around what is masked.
export const masked = {
  hint: 'Hidden by your role', show: 'Show', hide: 'Hide again', showHint: 'Show this in clear. That you looked is written down.', shownHint: 'Shown in clear; that you looked was written down',
}

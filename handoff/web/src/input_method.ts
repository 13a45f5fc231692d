// Chinese is typed through an input method, which needs Enter, Escape and the arrow keys for itself while it composes.

/** Whether a key belongs to the input method. Some browsers end the composition before the key that confirmed it: that one has code 229. */
export function composes(event: Event): boolean {
  const { isComposing, keyCode } = event as KeyboardEvent
  return isComposing || keyCode === 229
}

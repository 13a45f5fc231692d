// Chinese is typed through an input method, which needs Enter and Escape for itself while it composes.

/** Whether a key belongs to the input method; 229: Safari ends the composition before it tells us of the key that confirmed it. */
export function composes(event: KeyboardEvent): boolean {
  return event.isComposing || event.keyCode === 229;
}

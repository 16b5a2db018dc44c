/** Keys of the whole page: `g` then a letter moves, `/` searches. Typing into a field is left alone. */
const CHORD_MS = 1200;

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));

/** `move` says whether the letter meant anything. */
export function listenToKeys(move: (letter: string) => boolean, search: () => void): () => void {
  let chordUntil = 0;
  const onKey = (event: KeyboardEvent) => {
    if (event.metaKey || event.ctrlKey || event.altKey || isTyping(event.target)) return;
    const inChord = event.timeStamp < chordUntil;
    chordUntil = event.key === 'g' && !inChord ? event.timeStamp + CHORD_MS : 0;
    if (inChord ? move(event.key) : event.key === '/') event.preventDefault();
    if (!inChord && event.key === '/') search();
  };
  addEventListener('keydown', onKey);
  return () => removeEventListener('keydown', onKey);
}

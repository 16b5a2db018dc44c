/** Keys of the whole page: `g` then a letter moves, `/` searches, `?` shows the keys. Typing into a field is left alone,
 * but for ⌘K and Ctrl-K, which open the palette from anywhere. */
const CHORD_MS = 1200;

export type Overlay = 'palette' | 'keys';

/** `move` says whether the letter meant anything. */
export interface Bindings {
  move: (letter: string) => boolean;
  search: () => void;
  open: (overlay: Overlay) => void;
}

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));

const isPalette = (event: KeyboardEvent): boolean =>
  (event.metaKey || event.ctrlKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === 'k';

export function listenToKeys({ move, search, open }: Bindings): () => void {
  let chordUntil = 0;
  const onKey = (event: KeyboardEvent) => {
    if (isPalette(event)) {
      event.preventDefault();
      return open('palette');
    }
    if (event.metaKey || event.ctrlKey || event.altKey || isTyping(event.target)) return;
    const inChord = event.timeStamp < chordUntil;
    chordUntil = event.key === 'g' && !inChord ? event.timeStamp + CHORD_MS : 0;
    if (inChord ? move(event.key) : event.key === '/') event.preventDefault();
    if (!inChord && event.key === '/') search();
    if (!inChord && event.key === '?') open('keys');
  };
  addEventListener('keydown', onKey);
  return () => removeEventListener('keydown', onKey);
}

/**
 * Whether anybody looks. A browser gives one host six connections over HTTP/1.1, so a tab that was left lets go of its
 * streams; it takes them up again, behind the last id, when it is looked at.
 */
const LEAVE_AFTER_MS = 15_000;

export function watchAttention(tab: { leave: () => void; comeBack: () => void }): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const looked = () => {
    clearTimeout(timer);
    if (document.visibilityState === 'hidden') timer = setTimeout(tab.leave, LEAVE_AFTER_MS);
    else tab.comeBack();
  };
  const online = () => document.visibilityState === 'visible' && tab.comeBack();
  document.addEventListener('visibilitychange', looked);
  addEventListener('online', online);
  addEventListener('pageshow', looked);
  return () => {
    clearTimeout(timer);
    document.removeEventListener('visibilitychange', looked);
    removeEventListener('online', online);
    removeEventListener('pageshow', looked);
  };
}

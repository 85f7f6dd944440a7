const STORED = 'gatepost.sites';
const KEPT = 6;

/** Ids of the sites opened last in this browser, the newest first. */
export function visitedSites(): string[] {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(STORED) ?? '[]');
    return Array.isArray(stored) ? stored.filter((id) => typeof id === 'string').slice(0, KEPT) : [];
  } catch {
    return [];
  }
}

export function rememberVisit(siteId: string): void {
  try {
    const others = visitedSites().filter((id) => id !== siteId);
    localStorage.setItem(STORED, JSON.stringify([siteId, ...others].slice(0, KEPT)));
  } catch {
    // Then home shows the newest ones.
  }
}

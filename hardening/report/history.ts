import type { HistoryEntry, Report } from './report.ts';

/** A year of daily reports, and room for those made by hand. */
const MAX_HISTORY = 400;

/** What is kept of a report when the next ones show how the node came here. */
export function toHistoryEntry({ createdAt, profile, score, counts }: Report): HistoryEntry {
  return { createdAt, profile: profile.name, score: score.value, counts };
}

/** Oldest first, each time once, and of too many the newest. */
export function appendHistory(
  history: readonly HistoryEntry[],
  entry: HistoryEntry,
  most: number = MAX_HISTORY,
): HistoryEntry[] {
  const others = history.filter(({ createdAt, profile }) => createdAt !== entry.createdAt || profile !== entry.profile);
  return [...others, entry].toSorted((a, b) => a.createdAt.localeCompare(b.createdAt)).slice(-most);
}

/** Earlier reports of one node, for the history of its next: those of other nodes are left out. */
export function historyOf(reports: readonly Report[], node: string): HistoryEntry[] {
  return reports
    .filter((report) => report.node.id === node)
    .reduce<HistoryEntry[]>((history, report) => appendHistory(history, toHistoryEntry(report)), []);
}

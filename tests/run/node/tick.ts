/** What a run on Node prints whenever something has happened; the runner leaves it out. */
export const TICK = "\u2713\n";

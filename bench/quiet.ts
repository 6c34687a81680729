/** At a higher load average, times tell what else the machine does: the benchmark itself makes one of it. */
export const QUIET = 1.5;

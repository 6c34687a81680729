/** At a higher load average, times tell what else the machine does. */
export const QUIET = 0.5;

/** Set in the environment of the process that serves: how often one was started before it. */
export const RESTARTS = 'STATICFILES_RESTARTS';

/** Set there too, from the second one on: the port that the first one has found. */
export const PORT = 'STATICFILES_PORT';

/** What ends both processes: Control-C, whoever stops services, and a terminal that is closed. */
export const ENDING: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** The exit status of a server that no change of its source would make start. */
export const HOPELESS = 75;

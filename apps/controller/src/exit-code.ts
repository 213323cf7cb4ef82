/** How the process ends. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  attention: 3,
  notFound: 4,
} as const;

/** @see EXIT */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** What each means, for help and README. */
export const EXIT_MEANINGS: { readonly [Name in keyof typeof EXIT]: string } = {
  ok: 'Done; `run`: stopped cleanly after SIGTERM or SIGINT; `doctor`: no check failed.',
  failed:
    'Failed; `run`: at run time, or the stop took longer than `shutdownGraceMs` (the log names what was abandoned), or a second signal came; `doctor`: a check failed; `fence` and `unfence`: refused.',
  usage: 'The command line or the configuration was refused; standard error says what was expected.',
  attention:
    '`status --exit-code`: something is held, the view of the cluster is stale, or a backend is not connected.',
  notFound: '`status`: no controller was found. What could be read without one is printed.',
};

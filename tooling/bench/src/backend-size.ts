/** The backend of design section 7. */
export const EXPORTS = 1_000;
export const HOSTS = 100;

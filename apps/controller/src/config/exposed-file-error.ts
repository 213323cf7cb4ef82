/** Permission of all other users to read, of a file's mode. */
const OTHERS_READ = 0o004;

/** A file that holds a secret can be read by every user. Its message completes "expected ...". */
export class ExposedFileError extends Error {
  override readonly name = 'ExposedFileError';
}

/**
 * @param mode of `fs.Stats`
 * @throws {ExposedFileError} with the fix, when every user can read the file
 */
export function refuseExposed(path: string, mode: number): void {
  if ((mode & OTHERS_READ) === 0) return;
  const shown = (mode & 0o777).toString(8).padStart(4, '0');
  throw new ExposedFileError(
    `a file that only its owner and group can read (its mode is ${shown}; run: chmod 600 ${path}, or set defaultMode: 0440 on the volume of the Secret)`,
  );
}

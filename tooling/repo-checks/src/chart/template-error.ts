/** The template is outside of the subset that is rendered here, or fails as it would in Helm. */
export class TemplateError extends Error {
  constructor(message: string, where: string) {
    super(`${where}: ${message}`);
    this.name = 'TemplateError';
  }
}

import type { Value } from './value.ts';

/** Variables of a block; those of the blocks around it are seen too. */
export class Scope {
  readonly #outer: Scope | undefined;
  readonly #variables = new Map<string, Value>();

  constructor(outer?: Scope) {
    this.#outer = outer;
  }

  get(name: string): Value {
    return this.#variables.has(name) ? this.#variables.get(name) : this.#outer?.get(name);
  }

  declare(name: string, value: Value): void {
    this.#variables.set(name, value);
  }

  /** Changes the variable where it was declared; false when it was not. */
  assign(name: string, value: Value): boolean {
    if (!this.#variables.has(name)) return this.#outer?.assign(name, value) ?? false;
    this.#variables.set(name, value);
    return true;
  }

  /** A variable all blocks see. */
  declareGlobal(name: string, value: Value): void {
    if (this.#outer) this.#outer.declareGlobal(name, value);
    else this.declare(name, value);
  }
}

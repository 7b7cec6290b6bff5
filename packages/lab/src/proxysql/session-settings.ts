/** A statement that sets something for the session, and its place in the order of all of them. */
export interface Setting {
  readonly number: number;
  readonly sql: string;
}

const SETTING = /^\s*(?:\/\*[\s\S]*?\*\/\s*)*SET\s+(?!GLOBAL\b|PASSWORD\b|@@GLOBAL\.|DEFAULT\s+ROLE\b|STATEMENT\b)/i;
const MAX_SETTINGS = 200;

/**
 * What a session has set by SET statements: made again on every other connection that the session comes to use.
 */
export class SessionSettings {
  #settings: { number: number; key: string; sql: string }[] = [];
  #last = 0;

  /** Whether a statement sets something for the session only. */
  static isSetting(sql: string): boolean {
    return SETTING.test(sql);
  }

  /** Records a statement that a server has carried out; one that sets the same again replaces the older. */
  record(sql: string): number {
    this.#last += 1;
    const key = sql.includes(",") ? sql : (sql.split("=")[0] ?? sql).trim().toLowerCase().replace(/\s+/g, " ");
    const others = this.#settings.filter((setting) => setting.key !== key);
    this.#settings = [...others, { number: this.#last, key, sql }].slice(-MAX_SETTINGS);
    return this.#last;
  }

  /** Settings that a connection with settings up to `number` lacks, oldest first. */
  since(number: number): Setting[] {
    return this.#settings.filter((setting) => setting.number > number);
  }

  /** Forgets all. */
  clear(): void {
    this.#settings = [];
  }
}

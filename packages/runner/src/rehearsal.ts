import { EXIT, KbError, type KbErrorOptions } from "./errors.ts";
import type { Task } from "./module.ts";

/** A task that a playbook declares for a host, as far as that is known without asking anybody. */
export interface RehearsedTask {
  readonly host: string;
  readonly task: Task;
}

/** Something that a playbook does wrong whatever its hosts say. */
export interface RehearsedFault {
  /** Undefined where it concerns no host in particular. */
  readonly host: string | undefined;
  readonly error: unknown;
}

/** What was not looked at, because it depends on what hosts answer. */
export interface Unrehearsed {
  /** The role that was left there; undefined for the playbook itself. */
  readonly role: string | undefined;
  readonly error: UnansweredError;
}

/** What a run without hosts found out. */
export interface RehearsalReport {
  readonly tasks: readonly RehearsedTask[];
  readonly faults: readonly RehearsedFault[];
  readonly unrehearsed: readonly Unrehearsed[];
}

/** In a rehearsal, a playbook or role needs what a host would answer. What called it is left there. */
export class UnansweredError extends KbError {
  readonly code = "unanswered";
  readonly exitCode = EXIT.usage;
  readonly #rehearsal: Rehearsal;

  constructor(message: string, rehearsal: Rehearsal, options: KbErrorOptions = {}) {
    super(message, options);
    this.#rehearsal = rehearsal;
  }

  /** @internal Leaves a role at this question. What stands for its result is not known either. */
  leave(role: string): unknown {
    return this.#rehearsal.leave(role, this);
  }
}

/**
 * Stands in for all hosts: takes the tasks that a playbook declares for them, and leaves a role where it asks one.
 * Nothing is connected to, and nothing else of the run is different.
 */
export class Rehearsal {
  readonly #tasks: RehearsedTask[] = [];
  readonly #faults: RehearsedFault[] = [];
  readonly #unrehearsed: Unrehearsed[] = [];

  /** @internal In place of carrying them out. */
  take(host: string, tasks: readonly Task[]): readonly [] {
    this.#tasks.push(...tasks.map((task) => ({ host, task })));
    return [];
  }

  /** @internal An error in what is declared for one host: the other hosts, and what follows, are still looked at. */
  fault(host: string | undefined, error: unknown): void {
    if (error instanceof UnansweredError) throw error;
    this.#faults.push({ host, error });
  }

  /** @internal @throws UnansweredError always, from where the question was asked */
  ask(what: string): never {
    throw new UnansweredError(what, this);
  }

  /** @internal See {@link UnansweredError.leave}. */
  leave(role: string | undefined, error: UnansweredError): unknown {
    this.#unrehearsed.push({ role, error });
    return unknownValue(() => this.ask(`it needs the result of the role ${role}, which depends on what hosts answer`));
  }

  /** @internal What a list of tasks did is not known; that no host failed is taken for granted. */
  get result(): { readonly results: never; readonly changed: never; readonly failed: readonly string[] } {
    const ask = (field: string): never => this.ask(`it needs \`${field}\` of ensure, which depends on the hosts`);
    return {
      get results() {
        return ask("results");
      },
      get changed() {
        return ask("changed");
      },
      failed: [],
    };
  }

  get report(): RehearsalReport {
    return { tasks: this.#tasks, faults: this.#faults, unrehearsed: this.#unrehearsed };
  }
}

/** A value that cannot be looked into. It can be handed on, and awaited. */
function unknownValue(refuse: () => never): unknown {
  return new Proxy(Object.freeze({}), {
    get: (_, key) => (key === "then" ? undefined : refuse()),
    has: refuse,
    ownKeys: refuse,
  });
}

import type * as z from "zod";
import { callSite } from "./call-site.ts";
import { ParamsError } from "./errors.ts";
import type { Hosts } from "./hosts.ts";
import { describeIssues } from "./module.ts";
import { UnansweredError } from "./rehearsal.ts";

/** The vars of a schema's hosts. A schema without fields asks for nothing, and so takes hosts of any kind. */
export type VarsOf<H extends z.ZodObject> = [keyof H["shape"]] extends [never] ? unknown : z.output<H>;

/** What a role is made of. */
export interface RoleSpec<P extends z.ZodObject, H extends z.ZodObject, R> {
  readonly name: string;
  readonly summary: string;
  /** What the caller decides; every param `.describe()`d. */
  readonly params: P;
  /** The vars that each of its hosts has to declare. */
  readonly host: H;
  /** Tags of all its tasks, beside their own. */
  readonly tags?: readonly string[];
  run(context: { readonly hosts: Hosts<VarsOf<H>>; readonly params: z.output<P> }): Promise<R>;
}

/** A role: called with the hosts that get it, and its params. */
export interface Role<P extends z.ZodObject, H extends z.ZodObject, R> {
  (hosts: Hosts<VarsOf<H>>, params: z.input<P>): Promise<R>;
  readonly spec: RoleSpec<P, H, R>;
}

/**
 * Makes a role out of its description. Hosts whose schema lacks a var that the role needs do not compile.
 * @throws ParamsError, at the call, for params that the schema refuses
 */
export function defineRole<P extends z.ZodObject, H extends z.ZodObject, R = void>(
  spec: RoleSpec<P, H, R>,
): Role<P, H, R> {
  const apply = (hosts: Hosts<VarsOf<H>>, input: z.input<P>): Promise<R> => {
    const params = spec.params.safeParse(input);
    if (!params.success) {
      throw new ParamsError(`bad params for the role ${spec.name}`, {
        where: callSite(apply),
        detail: describeIssues(params.error),
      });
    }
    const own = spec.tags === undefined ? hosts : hosts.with({ tags: spec.tags });
    return spec.run({ hosts: own, params: params.data }).catch((error: unknown) => {
      // Erasure point: a rehearsal goes on behind a role that it left, with a value that nobody can look into.
      if (error instanceof UnansweredError) return error.leave(spec.name) as R;
      throw error;
    });
  };
  return Object.assign(apply, { spec });
}

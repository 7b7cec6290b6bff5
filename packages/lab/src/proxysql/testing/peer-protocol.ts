/** What a test asks of its peer. */
export type PeerRequest =
  | { readonly op: "listen"; readonly hosts: readonly string[] }
  | {
      readonly op: "login";
      readonly name: string;
      readonly host: string;
      readonly port: number;
      readonly user: string;
      readonly password: string;
      readonly database?: string;
    }
  | { readonly op: "close"; readonly name: string }
  | { readonly op: "query"; readonly name: string; readonly sql: string; readonly timeoutMs: number }
  | { readonly op: "raw"; readonly name: string; readonly hex: string; readonly timeoutMs: number };

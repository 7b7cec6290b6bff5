/**
 * Capability bits of the MySQL protocol that this server knows by name.
 *
 * @see https://mariadb.com/docs/server/reference/clientserver-protocol/1-connecting/connection
 */
export const Capability = {
  longPassword: 0x1,
  foundRows: 0x2,
  longFlag: 0x4,
  connectWithDb: 0x8,
  compress: 0x20,
  localFiles: 0x80,
  ignoreSpace: 0x100,
  protocol41: 0x200,
  interactive: 0x400,
  ssl: 0x800,
  ignoreSigpipe: 0x1000,
  transactions: 0x2000,
  reserved: 0x4000,
  secureConnection: 0x8000,
  multiStatements: 0x10000,
  multiResults: 0x20000,
  psMultiResults: 0x40000,
  pluginAuth: 0x80000,
  connectAttributes: 0x100000,
  pluginAuthLengthEncoded: 0x200000,
  sessionTrack: 0x800000,
  deprecateEof: 0x1000000,
  rememberOptions: 0x80000000,
} as const;

/** What the admin port offers: 0x808ffa2f, as recorded from ProxySQL 2.7.1. */
export const ADMIN_CAPABILITIES = 0x808ffa2f;

/** What the client port offers: the admin port's set and CLIENT_DEPRECATE_EOF (mysql-enable_client_deprecate_eof). */
export const FRONTEND_CAPABILITIES = (ADMIN_CAPABILITIES | Capability.deprecateEof) >>> 0;

/**
 * Bits that shape the packets of a reply, or the meaning of a statement: a backend connection must be opened with
 * exactly the client's choice of these, because replies are relayed byte for byte.
 */
export const RELAYED_CAPABILITIES =
  Capability.foundRows |
  Capability.ignoreSpace |
  Capability.interactive |
  Capability.multiStatements |
  Capability.multiResults |
  Capability.psMultiResults |
  Capability.sessionTrack |
  Capability.deprecateEof;

/** Command bytes of the MySQL protocol. */
export const Command = {
  quit: 0x01,
  initDb: 0x02,
  query: 0x03,
  fieldList: 0x04,
  statistics: 0x09,
  ping: 0x0e,
  changeUser: 0x11,
  stmtPrepare: 0x16,
  stmtExecute: 0x17,
  stmtSendLongData: 0x18,
  stmtClose: 0x19,
  stmtReset: 0x1a,
  setOption: 0x1b,
  stmtFetch: 0x1c,
  resetConnection: 0x1f,
} as const;

/** Server status bits carried by OK and EOF packets. */
export const Status = {
  inTransaction: 0x1,
  autocommit: 0x2,
  moreResults: 0x8,
  cursorExists: 0x40,
  noBackslashEscapes: 0x200,
} as const;

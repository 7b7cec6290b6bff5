/** Folder of all that belongs to MariaDB on a host. */
export const BASE = "/opt/keybuzz/mariadb";

/** The server's data; a volume of its own where `mariadb_data_device` names one. */
export const DATA = `${BASE}/data`;

/** Option files; a container sees them as /etc/mysql/conf.d. */
export const CONF = `${BASE}/conf`;

/** What outlives the data: the cluster that a host belongs to, and the request to bootstrap. */
export const STATE = `${BASE}/state`;

/** The container of the server, with the docker runtime. */
export const MARIADB_CONTAINER = "mariadb";

/** `ADDRESS:PORT`, with an IPv6 address in brackets. */
export function listenAddress(address: string, port: number): string {
  return `${address.includes(":") ? `[${address}]` : address}:${port}`;
}

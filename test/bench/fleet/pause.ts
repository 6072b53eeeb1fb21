/** The time of a tool: 1 to 3 s. */
export function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1000 + 2000 * Math.random()))
}

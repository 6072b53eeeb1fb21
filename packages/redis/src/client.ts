/** The commands and settings of a Redis client that the store uses. ioredis' `Redis` and `Cluster` have them. */
export interface RedisLike {
  readonly options: RedisLikeOptions
  /** Of a connected client: its current database. */
  readonly condition?: { readonly select: number } | null
  select(db: number): Promise<unknown>
  evalsha(sha1: string, keyCount: number, ...keysAndArguments: (string | number | Buffer)[]): Promise<unknown>
  eval(source: string, keyCount: number, ...keysAndArguments: (string | number | Buffer)[]): Promise<unknown>
  hget(key: string, field: string): Promise<string | null>
  hscan(
    key: string,
    cursor: string,
    match: 'MATCH',
    pattern: string,
    token: 'COUNT',
    count: number,
  ): Promise<[cursor: string, elements: string[]]>
  /** A string if the client has `stringNumbers`. */
  llen(key: string): Promise<number | string>
  lrangeBuffer(key: string, start: number, stop: number): Promise<Buffer[]>
  zadd(key: string, score: number, member: string): Promise<unknown>
  zscan(key: string, cursor: string, token: 'COUNT', count: number): Promise<[cursor: string, elements: string[]]>
  /** This and the next two are used only for findings. */
  info(): Promise<string>
  config(subcommand: 'GET', parameter: string): Promise<unknown>
  cluster(subcommand: 'INFO'): Promise<unknown>
  /** Of a Cluster. */
  nodes?(role: 'master'): RedisLike[]
  on?(event: string | symbol, listener: (argument: unknown) => void): unknown
}

export interface RedisLikeOptions {
  host?: string | undefined
  port?: number | undefined
  path?: string | undefined
  /** The user of the server; without one it is `default`. */
  username?: string | undefined
  db?: number | undefined
  tls?: object | undefined
  commandTimeout?: number | undefined
  socketTimeout?: number | undefined
  /** Of one question to a sentinel. */
  sentinelCommandTimeout?: number | undefined
  /** Sentinels, and the `name` of the group that they watch. */
  sentinels?: ReadonlyArray<{ host?: string | undefined; port?: number | undefined }> | null | undefined
  name?: string | undefined
  /** The client prepends it to every key; the store needs it only to name keys in messages. */
  keyPrefix?: string | undefined
  /** Of a Cluster: which nodes answer reads. */
  scaleReads?: unknown
  /** Of a Cluster: the options of its connections. */
  redisOptions?: object | undefined
}

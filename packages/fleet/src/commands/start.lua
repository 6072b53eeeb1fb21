--[[
  Notes that a worker begins on a session: the start is counted, and the row is looked at again if the worker dies.

  KEYS[1]  zset    the rows of its shard
  KEYS[2]  hash    starts whose end was not seen, by session that is worked on
  ARGV[1]  string  the session
  ARGV[2]  ms      from now until the next look

  Returns { the row's score, starts including this one }.
  Errors  none of its own.
]]
local rows, starts = KEYS[1], KEYS[2]
local id, delay_ms = ARGV[1], tonumber(ARGV[2])

local time = redis.call('TIME')
local at = time[1] * 1000 + math.floor(time[2] / 1000) + delay_ms

redis.call('ZADD', rows, at, id)
return { at, redis.call('HINCRBY', starts, id, 1) }

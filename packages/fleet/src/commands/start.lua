--[[
  Notes that somebody begins to work on a session: its row is looked at again if he dies, and his start is counted.

  KEYS[1]  zset    the rows of its shard
  KEYS[2]  hash    starts without an end that anybody saw, by session
  ARGV[1]  string  the session
  ARGV[2]  ms      from now until the next look

  Returns { the row's score, starts with this one }.
  Errors  none of its own.
]]
local rows, starts = KEYS[1], KEYS[2]
local id, delay_ms = ARGV[1], tonumber(ARGV[2])

local time = redis.call('TIME')
local at = time[1] * 1000 + math.floor(time[2] / 1000) + delay_ms

redis.call('ZADD', rows, at, id)
return { at, redis.call('HINCRBY', starts, id, 1) }

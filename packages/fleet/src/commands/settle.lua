--[[
  Settles the row of a session that was looked at or worked on, and its count of starts.

  KEYS[1]  zset    the rows of its shard
  KEYS[2]  set     the sessions among them that a person waits for
  KEYS[3]  hash    starts whose end was not seen, by session that is worked on
  ARGV[1]  string  the session
  ARGV[2]  number  the row's score when it was read; empty: any
  ARGV[3]  string  'remove', 'keep', or the ms from now until the next look
  ARGV[4]  string  the count: 'keep'; 'zero', while it is worked on; 'clear' when that ended; 'undo' the last start

  Returns nothing. If the row was written again since then, it stays as it is.
  Errors  none of its own.
]]
local rows, interactive, starts = KEYS[1], KEYS[2], KEYS[3]
local id, score, action, count = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]

if count == 'clear' then
  redis.call('HDEL', starts, id)
elseif count == 'zero' and redis.call('HEXISTS', starts, id) == 1 then
  redis.call('HSET', starts, id, 0)
elseif count == 'undo' and redis.call('HINCRBY', starts, id, -1) <= 0 then
  redis.call('HDEL', starts, id)
end

if score and tonumber(redis.call('ZSCORE', rows, id)) ~= score then
  return
end
if action == 'remove' then
  redis.call('ZREM', rows, id)
  redis.call('SREM', interactive, id)
  redis.call('HDEL', starts, id)
elseif action ~= 'keep' then
  local time = redis.call('TIME')
  redis.call('ZADD', rows, time[1] * 1000 + math.floor(time[2] / 1000) + tonumber(action), id)
end
